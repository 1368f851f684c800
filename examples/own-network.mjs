// Trains a network of your own on labelled images (here: drawn digits), and keeps its weights in a file that
// `defineNetwork` makes readable again. Run: node own-network.mjs

import { writeFile } from "node:fs/promises";
import { accuracyOf, fitLabelled, specFor } from "activemixup/activemixup";
import { drawDigits } from "activemixup/data";
import { Conv2d, defineNetwork, encodeNetwork, Flatten, Linear, MaxPool2d, Network, Sequential } from "activemixup/nn";
import { openDevice } from "activemixup/tensor";

// Layers by the names that their weights have in the file. "same" keeps height and width; a pool of 2 halves them.
defineNetwork("two-layers", ({ channels, height, width }, classes) => {
  const pooled = Math.floor(height / 2) * Math.floor(width / 2);
  return new Sequential({
    conv: new Conv2d(channels, 8, 3, { padding: "same" }),
    pool: new MaxPool2d({ kernel: 2, stride: 2, relu: true }),
    flatten: new Flatten(),
    fc: new Linear(8 * pooled, classes),
  });
});

const train = drawDigits(1000, 1, { size: 12 });
const test = drawDigits(500, 2, { size: 12 });

const device = await openDevice("auto");
const network = new Network(device, specFor("two-layers", train, train.classes), 1);
const { loss } = await fitLabelled(network, train, { epochs: 6, batch: 50, rate: 5e-3, crop: 0, seed: 1 });
const accuracy = await accuracyOf(network, test);
console.log(`loss ${loss.toFixed(3)}, accuracy ${(100 * accuracy).toFixed(1)}%, chance is 10%`);

await writeFile("two-layers.safetensors", await encodeNetwork(network));
network.dispose();
device.destroy();
