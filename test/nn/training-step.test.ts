import { describe, expect, it } from "vitest";
import { softmaxCrossEntropy } from "../../src/kernels/index.js";
import { architectures, Network, type NetworkSpec } from "../../src/nn/index.js";
import { createTensor, Philox, readTensor, record, type Device } from "../../src/tensor/index.js";
import { useDevices } from "../devices.js";

const devices = useDevices();

/**
 * How far a parameter's gradient may be off, by {@link relativeError}: about three times what lavapipe gives in
 * November 2026. Each kernel is held to 1e-5; through many layers of ReLU and of batch norm over few images, differences
 * of that size grow and flip single activations (AlexNet and VGG: 5e-4 to 4e-3), for which ResNets have room too, since
 * another device may flip one where lavapipe has none (5e-6 to 4e-5). A wrong kernel gives errors of about 1.
 */
const tolerances: Readonly<Record<string, number>> = {
  // 6e-7: too shallow for a flip.
  lenet5: 1e-5,
  "lenet5-half": 1e-5,
  "lenet5-dropout": 1e-5,
  alexnet: 4e-3,
  "alexnet-half": 1.2e-2,
  vgg16: 2e-3,
  resnet20: 2e-3,
  resnet32: 2e-3,
  resnet18: 2e-3,
};

/** Small enough for the CPU reference, and of the shapes that the published networks take. */
function problem(architecture: string): { spec: NetworkSpec; batch: number } {
  // ResNet-18 is wide, and the reference takes its time.
  const side = architecture === "resnet18" ? 8 : architecture.startsWith("resnet") ? 16 : 32;
  const lenet = architecture.startsWith("lenet");
  const image = lenet ? { channels: 1, height: 28, width: 28 } : { channels: 3, height: side, width: side };
  const scale = (value: number) => new Array<number>(image.channels).fill(value);
  return {
    spec: { architecture, image, classes: 10, mean: scale(0.5), deviation: scale(0.25) },
    batch: lenet ? 5 : architecture.startsWith("resnet") ? 4 : 2,
  };
}

interface Step {
  readonly losses: Float32Array;
  readonly gradients: ReadonlyMap<string, Float32Array>;
  readonly statistics: ReadonlyMap<string, { data: Float32Array }>;
}

/** One recorded forward and backward pass from a fixed seed. */
async function trainingStep(device: Device, architecture: string): Promise<Step> {
  const { spec, batch } = problem(architecture);
  const { channels, height, width } = spec.image;
  const random = new Philox(7);
  const values = (length: number, draw: () => number) => Float32Array.from({ length }, draw);
  const network = new Network(device, spec, 3);
  const images = createTensor(device, [batch, channels, height, width], {
    data: values(batch * channels * height * width, () => random.normal()),
  });
  const labels = values(batch * 10, () => random.float());
  for (let row = 0; row < batch; row++) {
    const slice = labels.subarray(10 * row, 10 * row + 10);
    const sum = slice.reduce((total, value) => total + value, 0);
    slice.forEach((value, index) => (slice[index] = value / sum));
  }
  const targets = createTensor(device, [batch, 10], { data: labels });
  const step = createTensor(device, [1], { dtype: "u32", data: [5] });
  const recording = await record(device, (recorder) => {
    const { output, backward } = network.forward({ recorder, training: true, seed: 11, step }, images);
    const { losses, gradient } = softmaxCrossEntropy(recorder, output, targets);
    backward(gradient, false);
    return recorder.keep(losses);
  });
  recording.run();
  const losses = await readTensor(recording.result);
  const flat = await readTensor(network.gradients);
  const gradients = new Map<string, Float32Array>();
  for (const [name, { role, shape, gradient }] of network.parameters) {
    if (role !== "trained") continue;
    const start = gradient.byteOffset / 4;
    gradients.set(name, flat.slice(start, start + shape.reduce((size, length) => size * length, 1)));
  }
  const statistics = await network.state();
  recording.dispose();
  network.dispose();
  return { losses, gradients, statistics };
}

/** Root of the mean square of all values. */
function rootMeanSquare(arrays: Iterable<Float32Array>): number {
  const all = [...arrays];
  const sum = all.reduce((total, array) => total + array.reduce((squares, value) => squares + value ** 2, 0), 0);
  return Math.sqrt(sum / all.reduce((total, { length }) => total + length, 0));
}

/** ‖actual − expected‖ / ‖expected‖, where values far below `floor` count as `floor`. */
function relativeError(actual: Float32Array, expected: Float32Array, floor: number): number {
  let error = 0;
  let norm = expected.length * floor ** 2;
  for (const [index, value] of expected.entries()) {
    error += (actual[index] - value) ** 2;
    norm += value ** 2;
  }
  return Math.sqrt(error / norm);
}

describe("a whole training step", () => {
  it.each(architectures)("of %s is the same on the GPU as on the CPU", { timeout: 120_000 }, async (architecture) => {
    const expected = await trainingStep(devices.cpu, architecture);
    const actual = await trainingStep(devices.gpu, architecture);
    expect(relativeError(actual.losses, expected.losses, 0)).toBeLessThan(1e-5);
    expect([...actual.gradients.keys()]).toEqual([...expected.gradients.keys()]);
    // Biases before a batch norm have gradients of 0 in exact arithmetic: they are held to the size of the others.
    const floor = 1e-2 * rootMeanSquare(expected.gradients.values());
    for (const [name, gradient] of expected.gradients) {
      expect(relativeError(actual.gradients.get(name)!, gradient, floor), name).toBeLessThan(tolerances[architecture]);
    }
    for (const [name, { data }] of expected.statistics) {
      expect(relativeError(actual.statistics.get(name)!.data, data, 1e-2), name).toBeLessThan(1e-4);
    }
  });
});
