import { describe, expect, it } from "vitest";
import { WHOLE_WEIGHT } from "../../src/kernels/index.js";
import {
  defineNetwork,
  Examples,
  Flatten,
  Linear,
  Network,
  paperSgd,
  plainAdam,
  Sequential,
  Trainer,
} from "../../src/nn/index.js";
import type { OptimizerOptions, TrainerOptions } from "../../src/nn/index.js";
import { createTensor, readTensor, type Device } from "../../src/tensor/index.js";
import { expectClose, EXACT } from "../close.js";
import { useDevices } from "../devices.js";

const devices = useDevices();
const CLASSES = 3;

defineNetwork("linear-of-trainer-test", ({ channels, height, width }, classes) => {
  return new Sequential({ flat: new Flatten(), linear: new Linear(channels * height * width, classes) });
});

function problem(device: Device) {
  const image = { channels: 1, height: 4, width: 4 };
  const spec = { architecture: "linear-of-trainer-test", image, classes: CLASSES, mean: [0.5], deviation: [0.25] };
  const network = new Network(device, spec, 1);
  const pixels = Uint8Array.from({ length: 2 * 16 }, (_, index) => (37 * index) % 256);
  const images = createTensor(device, [2, 1, 4, 4], { dtype: "u8", data: pixels });
  const examples = new Examples(device, images, 2, CLASSES);
  const dispose = () => {
    for (const one of [network, images, examples]) one.dispose();
  };
  return { network, examples, dispose };
}

const options = (optimizer: OptimizerOptions): TrainerOptions => ({
  batch: 1,
  optimizer,
  augmentation: { crop: 0, flip: false },
  seed: 3,
});

const one = { first: 0, second: 0, weight: WHOLE_WEIGHT };

describe.each(["cpu", "gpu"] as const)("a trainer, device %s", (name) => {
  it.each([
    ["Adam", plainAdam],
    ["the paper's SGD", paperSgd],
  ])("begins anew with %s where the rate drops, as a fit of its own would", async (_, optimizer) => {
    const values = [];
    for (const parts of [
      [{ steps: 40, schedule: { kind: "steps", rate: 0.1, milestones: [0.5], factor: 0.25 } as const }],
      [0.1, 0.025].map((rate) => ({ steps: 20, schedule: { kind: "constant", rate } as const })),
    ]) {
      const { network, examples, dispose } = problem(devices[name]);
      examples.set([one], Float32Array.from([0.2, 0.5, 0.3]));
      for (const [round, part] of parts.entries()) {
        // A trainer of its own: nothing stays of the moments of the part before.
        const trainer = await Trainer.create(network, examples, options(optimizer), 40);
        await trainer.fit(round, part);
        trainer.dispose();
      }
      values.push(await readTensor(network.values));
      dispose();
    }
    expectClose(values[0], values[1], EXACT);
  });

  it("waits for the device once for many short passes, and trains as with a wait behind each", async () => {
    const outcomes = [];
    for (const onEpoch of [undefined, () => undefined]) {
      const { network, examples, dispose } = problem(devices[name]);
      const other = { first: 1, second: 1, weight: WHOLE_WEIGHT };
      examples.set([one, other], Float32Array.from([0.2, 0.5, 0.3, 0.7, 0.1, 0.2]));
      const trainer = await Trainer.create(network, examples, options(plainAdam), 301);
      const { reads } = devices[name].stats();
      const loss = await trainer.fit(1, { steps: 301, schedule: { kind: "constant", rate: 0.02 }, onEpoch });
      outcomes.push({ loss, reads: devices[name].stats().reads - reads, values: await readTensor(network.values) });
      trainer.dispose();
      dispose();
    }
    const [together, apart] = outcomes;
    expect([together.loss, together.values]).toEqual([apart.loss, apart.values]);
    // 256 steps, the other 44 of whole passes, and the one of the last, by whose loss it ends.
    expect([together.reads, apart.reads]).toEqual([3, 151]);
  });

  it("leaves nothing behind where it cannot be made", async () => {
    const { network, examples, dispose } = problem(devices[name]);
    const { liveBuffers, liveBytes } = devices[name].stats();
    for (const optimizer of [
      { ...plainAdam, beta1: 1 } as OptimizerOptions,
      { ...plainAdam, kind: "Adam" as string } as OptimizerOptions,
    ]) {
      await expect(Trainer.create(network, examples, { ...options(optimizer), average: 0.5 }, 4)).rejects.toThrow(
        /beta1 is 1|kind is "Adam"; expected sgd or adam/,
      );
      expect(devices[name].stats()).toMatchObject({ liveBuffers, liveBytes });
    }
    for (const [batch, steps, fault] of [
      [0, 4, "trainer: batch is 0; expected a whole number from 1 up"],
      [2.5, 4, "trainer: batch is 2.5; expected a whole number from 1 up"],
      [1, 0, "trainer: mostSteps is 0; expected a whole number from 1 up"],
      [2 ** 40, 4, '"order" needs '],
    ] as const) {
      const made = Trainer.create(network, examples, { ...options(plainAdam), batch }, steps);
      await expect(made).rejects.toThrow(fault);
      expect(devices[name].stats()).toMatchObject({ liveBuffers, liveBytes });
    }
    dispose();
  });

  it("does fits that overlap one after the other, and refuses a round beyond its random numbers", async () => {
    const losses = [];
    for (const overlap of [false, true]) {
      const { network, examples, dispose } = problem(devices[name]);
      const other = { first: 1, second: 1, weight: WHOLE_WEIGHT };
      examples.set([one, other], Float32Array.from([0.2, 0.5, 0.3, 0.7, 0.1, 0.2]));
      const trainer = await Trainer.create(network, examples, options(plainAdam), 20);
      const fit = (round: number) => trainer.fit(round, { steps: 20, schedule: { kind: "constant", rate: 0.05 } });
      const refused = fit(65536);
      await expect(refused).rejects.toThrow("trainer: round is 65536; expected a whole number from 0 to 65535");
      losses.push(overlap ? await Promise.all([fit(0), fit(1)]) : [await fit(0), await fit(1)]);
      trainer.dispose();
      dispose();
    }
    expect(losses[1]).toEqual(losses[0]);
    expect(losses[0][1]).toBeLessThan(losses[0][0]);
  });
});

describe("examples", () => {
  it("are replaced only by what fits them", async () => {
    const { examples, dispose } = problem(devices.cpu);
    const targets = Float32Array.from([0.2, 0.5, 0.3]);
    examples.set([one], targets);
    const refused = (blend: Partial<typeof one>, values = targets) => {
      const error = (body: () => void) => {
        expect(body).toThrow(/^examples: /);
      };
      error(() => {
        examples.set([{ ...one, ...blend }], values);
      });
    };
    refused({ weight: 0.5 });
    refused({ weight: WHOLE_WEIGHT + 1 });
    refused({ first: 2 });
    refused({ second: -1 });
    refused({}, new Float32Array(2));
    refused({}, new Float32Array(4));
    expect(() => {
      examples.set([one, one, one], new Float32Array(9));
    }).toThrow("examples: 3; there is room for 2");
    expect(examples.count).toBe(1);
    expectClose((await readTensor(examples.targets)).subarray(0, CLASSES), targets, EXACT);
    expect([...(await readTensor(examples.weight))]).toEqual([WHOLE_WEIGHT, 0]);
    dispose();
  });
});
