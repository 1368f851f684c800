import { describe, expect, it } from "vitest";
import {
  BatchNorm,
  defineNetwork,
  Examples,
  Flatten,
  Linear,
  Network,
  plainAdam,
  Sequential,
  Trainer,
} from "../../src/nn/index.js";
import { createTensor, Philox, readTensor, type Device } from "../../src/tensor/index.js";
import { WHOLE_WEIGHT } from "../../src/kernels/index.js";
import { EXACT, expectClose, f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";

const devices = useDevices();

const image = { channels: 2, height: 3, width: 3 };
const spec = { architecture: "batch-norm-linear", image, classes: 3, mean: [0.5, 0.5], deviation: [0.25, 0.25] };
defineNetwork(spec.architecture, ({ channels, height, width }, classes) => {
  const fc = new Linear(channels * height * width, classes);
  return new Sequential({ bn: new BatchNorm(channels), flatten: new Flatten(), fc });
});

/** Weights and running statistics at the end of each fit of `fits` steps, and the last loss. */
async function train(device: Device, average: number | undefined, ...fits: number[]) {
  const random = new Philox(1);
  const count = 8;
  const network = new Network(device, spec, 4);
  const data = Uint8Array.from({ length: count * 18 }, () => 255 * random.float());
  const images = createTensor(device, [count, 2, 3, 3], { dtype: "u8", data });
  const examples = new Examples(device, images, count, 3);
  const blends = Array.from({ length: count }, (_, row) => ({ first: row, second: row, weight: WHOLE_WEIGHT }));
  examples.set(
    blends,
    Float32Array.from({ length: count * 3 }, (_, at) => Number(at % 3 === Math.floor(at / 3) % 3)),
  );
  const options = { batch: 4, optimizer: plainAdam, augmentation: { crop: 0, flip: false }, seed: 2, average };
  const trainer = await Trainer.create(network, examples, options, Math.max(...fits));
  let loss = NaN;
  for (const [round, steps] of fits.entries()) {
    loss = await trainer.fit(round, { steps, schedule: { kind: "constant", rate: 0.1 } });
  }
  const [values, statistics] = [await readTensor(network.values), await readTensor(network.statistics)];
  for (const owner of [trainer, examples, images, network]) owner.dispose();
  return { values, statistics, loss };
}

describe.each(["cpu", "gpu"] as const)("the average of weights, device %s", (name) => {
  const device = () => devices[name];

  it("is the mean of weights and statistics after each of the last steps", async () => {
    const ends = [];
    for (const steps of [1, 2, 3, 4, 5]) ends.push(await train(device(), undefined, steps));
    for (const [share, last] of [
      [1, 5],
      [0.6, 3],
      [0.4, 2],
    ]) {
      const averaged = await train(device(), share, 5);
      for (const what of ["values", "statistics"] as const) {
        const counted = ends.slice(-last).map((end) => end[what]);
        const mean = averaged[what].map((_, i) => counted.reduce((sum, end) => sum + end[i], 0) / last);
        expectClose(averaged[what], mean, f32Tolerance(20), `${what} of the last ${last}`);
      }
      expect(averaged.loss).toBe(ends[4].loss);
    }
  });

  it("is of the last step alone where the share is less than one, as without it", async () => {
    const [plain, averaged] = [await train(device(), undefined, 5), await train(device(), 0.01, 5)];
    expectClose(averaged.values, plain.values, EXACT);
    expectClose(averaged.statistics, plain.statistics, EXACT);
  });

  it("begins anew with each fit, which goes on from the mean of the one before", async () => {
    const plain = await train(device(), undefined, 4, 1);
    // The last step of either fit counts alone: that of the second is before the first's.
    expectClose((await train(device(), 0.25, 4, 1)).values, plain.values, EXACT);
    expect((await train(device(), 0.5, 4, 1)).values).not.toEqual(plain.values);
  });

  it("refuses a share that is none", async () => {
    for (const share of [0, 1.5, NaN]) {
      await expect(train(device(), share, 1)).rejects.toThrow(
        `average is ${share}; expected a share of the steps, above 0 and at most 1`,
      );
    }
  });
});
