import { describe, expect, it } from "vitest";
import { architectures, BatchNorm, buildModule, Dropout, Sequential, type Pass } from "../../src/nn/index.js";
import { hasDropout } from "../../src/nn/module.js";
import { CpuDevice, createTensor, readTensor, record, type HostArray } from "../../src/tensor/index.js";

const device = new CpuDevice();
const CHANNELS = 4;
const ROWS = 50;

/** Batch norm with running statistics of its own, then dropout of a quarter. */
function normAndDropout(): { module: Sequential; statistics: () => Promise<HostArray[]> } {
  const norm = new BatchNorm(CHANNELS);
  const values = { weight: 1, bias: 5, running_mean: 0.5, running_var: 4 };
  for (const [name, value] of Object.entries(values)) {
    const data = new Float32Array(CHANNELS).fill(value);
    norm.parameters[name as keyof typeof values].place(createTensor(device, [CHANNELS], { data, name }));
  }
  const { running_mean, running_var } = norm.parameters;
  return {
    module: Sequential.of(norm, new Dropout(0.25, 1)),
    statistics: () => Promise.all([running_mean, running_var].map(({ value }) => readTensor(value))),
  };
}

const data = Float32Array.from({ length: ROWS * CHANNELS }, (_, index) => Math.sin(index));

async function outputs(passes: readonly (Omit<Pass, "recorder" | "step"> & { at: number })[]): Promise<number[][]> {
  const { module, statistics } = normAndDropout();
  const before = await statistics();
  const input = createTensor(device, [ROWS, CHANNELS], { data });
  const recording = await record(device, (recorder) =>
    passes.map(({ at, ...pass }) => {
      const step = createTensor(device, [1], { dtype: "u32", data: [at] });
      return recorder.keep(module.forward({ recorder, step, ...pass }, input).output);
    }),
  );
  recording.run();
  const all = await Promise.all(recording.result.map(async (tensor) => Array.from(await readTensor(tensor))));
  expect(await statistics()).toEqual(before);
  return all;
}

describe("a pass with dropout and without training", () => {
  it("normalises by running statistics and drops values, others in each pass", async () => {
    const [kept, first, same, step, seed] = await outputs([
      { training: false, seed: 0, at: 0 },
      { training: false, dropout: true, seed: 3, at: 0 },
      { training: false, dropout: true, seed: 3, at: 0 },
      { training: false, dropout: true, seed: 3, at: 1 },
      { training: false, dropout: true, seed: 4, at: 0 },
    ]);
    expect(kept[1]).toBeCloseTo((data[1] - 0.5) / 2 + 5, 4);
    for (const pass of [first, step, seed]) {
      for (const [index, value] of pass.entries()) if (value !== 0) expect(value).toBeCloseTo(kept[index] / 0.75, 4);
      const dropped = pass.filter((value) => value === 0).length;
      expect(dropped).toBeGreaterThan(30);
      expect(dropped).toBeLessThan(70);
    }
    expect(same).toEqual(first);
    expect(step).not.toEqual(first);
    expect(seed).not.toEqual(first);
  });
});

describe("a network", () => {
  it("says whether it has dropout", () => {
    const image = { channels: 3, height: 32, width: 32 };
    const have = architectures.filter((architecture) => hasDropout(buildModule(architecture, image, 10)));
    expect(have).toEqual(["lenet5-dropout", "alexnet", "alexnet-half"]);
    expect(hasDropout(Sequential.of(new Dropout(0, 1)))).toBe(false);
  });
});

it("says that dropout needs the step's number", async () => {
  const input = createTensor(device, [ROWS, CHANNELS], { data });
  const recording = record(device, (recorder) =>
    new Dropout(0.25, 1).forward({ recorder, training: true, seed: 0 }, input),
  );
  await expect(recording).rejects.toThrow("Dropout: the pass has dropout and no `step`; give the step's number");
});
