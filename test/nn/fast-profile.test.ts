import { afterAll, beforeAll, describe, it } from "vitest";
import { Examples, Network, plainAdam, Trainer, type NetworkSpec } from "../../src/nn/index.js";
import { createTensor, openDevice, Philox, readTensor, type Device } from "../../src/tensor/index.js";
import { EXACT, expectClose } from "../close.js";

/** Two devices on one adapter: with Dawn's validation and bounds checks, and without, as runs have it. */
const devices = {} as Record<"safe" | "fast", Device>;

beforeAll(async () => {
  devices.safe = await openDevice("webgpu", { poison: true, profile: "safe" });
  devices.fast = await openDevice("webgpu", { poison: true, profile: "fast" });
});

afterAll(() => {
  devices.safe.destroy();
  devices.fast.destroy();
});

/** The parameters after three steps on blends of seven images, augmented. */
async function train(device: Device, spec: NetworkSpec): Promise<Float32Array> {
  const { channels, height, width } = spec.image;
  const random = new Philox(5);
  const pixels = Uint8Array.from({ length: 7 * channels * height * width }, () => random.below(256));
  const images = createTensor(device, [7, channels, height, width], { dtype: "u8", data: pixels });
  const examples = new Examples(device, images, 12, spec.classes);
  const blends = Array.from({ length: 12 }, () => ({
    first: random.below(7),
    second: random.below(7),
    weight: random.below(65537),
  }));
  examples.set(
    blends,
    Float32Array.from({ length: 12 * spec.classes }, () => random.float()),
  );
  const network = new Network(device, spec, 1);
  const options = { batch: 5, optimizer: plainAdam, augmentation: { crop: 3, flip: true }, seed: 2 };
  const trainer = await Trainer.create(network, examples, options, 3);
  await trainer.fit(0, { steps: 3, schedule: { kind: "constant", rate: 0.01 } });
  const values = await readTensor(network.values);
  trainer.dispose();
  network.dispose();
  examples.dispose();
  images.dispose();
  return values;
}

describe("a training step gives the same bits with and without Dawn's safety net:", () => {
  it("LeNet-5-half on images that fill no tile", async () => {
    const image = { channels: 1, height: 27, width: 30 };
    const spec = { architecture: "lenet5-half", image, classes: 4, mean: [0.5], deviation: [0.5] };
    expectClose(await train(devices.fast, spec), await train(devices.safe, spec), EXACT);
  });
});
