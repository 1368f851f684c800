import { accuracyOf, fitLabelled, specFor } from "activemixup/activemixup";
import { drawDigits } from "activemixup/data";
import { Network, Predictor } from "activemixup/nn";
import { openDevice } from "activemixup/tensor";

const options = new URLSearchParams(location.search);
const number = (name, otherwise) => Number(options.get(name) ?? otherwise);
const status = document.querySelector("#status");

async function train() {
  const size = number("size", 16);
  const data = drawDigits(number("images", 1000), 1, { size });
  const test = drawDigits(number("test", 500), 2, { size });
  const device = await openDevice(options.get("device") ?? "auto");
  const { kind, adapter } = device.info;
  const where = kind === "cpu" ? "the CPU, since this browser has no WebGPU" : adapter || "WebGPU";

  const network = new Network(device, specFor("lenet5", data, data.classes), 1);
  const epochs = number("epochs", 5);
  await fitLabelled(
    network,
    data,
    { epochs, batch: 50, rate: 3e-3, crop: 1, seed: 1 },
    {
      onProgress: (done, all) => (status.textContent = `Training on ${where}: ${done} of ${all} images`),
      onEpoch: (epoch, loss) => addRow(epoch, loss.toFixed(3), ""),
    },
  );
  const accuracy = await accuracyOf(network, test);
  document.querySelector("#epochs tr:last-child").lastChild.textContent = `${(100 * accuracy).toFixed(1)}%`;
  await showDigits(network, test);
  network.dispose();
  device.destroy();
  status.textContent = `Trained on ${where}: ${(100 * accuracy).toFixed(1)}% of ${test.count} new digits are right.`;
}

function addRow(...cells) {
  const row = document.querySelector("#epochs").insertRow();
  for (const cell of cells) row.insertCell().textContent = cell;
}

/** A digit of each class, and what the network takes it for. */
async function showDigits(network, { pixels, height, width, classes }) {
  const predictor = await Predictor.create(network, classes);
  const area = height * width;
  const { labels, probabilities } = await predictor.predict(pixels.subarray(0, classes * area));
  predictor.dispose();
  for (const [index, label] of labels.entries()) {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const image = new ImageData(width, height);
    for (let at = 0; at < area; at++) image.data.fill(pixels[index * area + at], 4 * at, 4 * at + 3);
    for (let at = 0; at < area; at++) image.data[4 * at + 3] = 255;
    canvas.getContext("2d").putImageData(image, 0, 0);
    const caption = document.createElement("figcaption");
    caption.textContent = `${label} (${(100 * probabilities[index * classes + label]).toFixed(0)}%)`;
    const figure = document.createElement("figure");
    figure.append(canvas, caption);
    document.querySelector("#digits").append(figure);
  }
}

train().catch((error) => {
  status.textContent = `${error.name}: ${error.message}`;
  throw error; // For the browser's console.
});
