import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { max, planReduce, sum, sumChannels } from "../../src/kernels/reduce/index.js";
import { CpuDevice, createTensor, Recorder, type Shape } from "../../src/tensor/index.js";
import { EXACT, expectClose, f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, edgeSize, expectSame, randomInput, runKernel, type Input } from "./harness.js";

const devices = useDevices();

/** [N, C, …rest] whose channels take one, two or three passes of 256 elements. */
const channelShape: fc.Arbitrary<Shape> = fc.oneof(
  fc.tuple(edgeSize(256), edgeSize(16)),
  fc.tuple(edgeSize(4), edgeSize(8), fc.constantFrom(1, 3, 16, 85, 255, 256, 257, 512)),
  fc.tuple(edgeSize(3), edgeSize(5), fc.constantFrom(1, 7, 28), fc.constantFrom(1, 5, 28)),
  fc.constantFrom<Shape[]>([1, 1, 65536], [1, 2, 65537], [2, 1, 257, 257], [70000, 2], [3, 2, 1, 22000]),
);

describe("sumChannels", () => {
  it("agrees with the reference for channels of every length and layout", async () => {
    await fc.assert(
      fc.asyncProperty(channelShape, anySeed, async (shape, seed) => {
        const count = shape.reduce((product, length) => product * length, 1) / shape[1];
        await expectSame(
          devices,
          { x: randomInput(shape, seed) },
          (recorder, { x }) => ({ sums: sumChannels(recorder, x) }),
          f32Tolerance(count),
        );
      }),
      { numRuns: 60 },
    );
  });

  it("sums over everything but the second axis", async () => {
    const x: Input<"f32"> = { shape: [2, 3, 2], dtype: "f32", data: [1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60] };
    for (const device of [devices.cpu, devices.gpu]) {
      const { sums } = await runKernel(device, { x }, (recorder, tensors) => ({
        sums: sumChannels(recorder, tensors.x),
      }));
      expectClose(sums, [33, 77, 121], EXACT);
    }
  });

  it("keeps NaN and infinities to their channel, through both passes", async () => {
    const shape = [300, 5];
    const data = new Float32Array(1500).fill(1);
    data[5 * 17] = NaN;
    data[5 * 280 + 1] = Infinity;
    data[5 * 2 + 2] = -Infinity;
    data[5 * 3 + 3] = Infinity;
    data[5 * 200 + 3] = -Infinity;
    const inputs = { x: { shape, dtype: "f32", data } satisfies Input<"f32"> };
    const { sums } = await runKernel(devices.gpu, inputs, (recorder, { x }) => ({ sums: sumChannels(recorder, x) }));
    expectClose(sums, [NaN, Infinity, -Infinity, NaN, 300], EXACT);
  });

  it("stays accurate where naive f32 summation would not", async () => {
    const size = 1 << 20;
    const inputs = { x: { shape: [1, 1, size], dtype: "f32", data: new Float32Array(size).fill(0.1) } } as const;
    const { sums } = await runKernel(devices.gpu, inputs, (recorder, { x }) => ({ sums: sumChannels(recorder, x) }));
    expect(Math.abs(sums[0] / (size * Math.fround(0.1)) - 1)).toBeLessThan(1e-5);
  });

  it("gives the same bits each time", async () => {
    const inputs = { x: randomInput([7, 3, 9973], 5) };
    const runs = [1, 2, 3].map(() =>
      runKernel(devices.gpu, inputs, (recorder, { x }) => ({ sums: sumChannels(recorder, x) })),
    );
    const [first, ...others] = await Promise.all(runs);
    for (const other of others) expectClose(other.sums, first.sums, EXACT);
  });

  it("writes where it is told to", async () => {
    const out: Input<"f32"> = { shape: [2], dtype: "f32", data: [7, 7] };
    const inputs = { x: randomInput([300, 2], 1), out };
    await expectSame(
      devices,
      inputs,
      (recorder, tensors) => {
        sumChannels(recorder, tensors.x, { out: tensors.out });
        return { out: tensors.out };
      },
      f32Tolerance(300),
    );
  });
});

describe("sum and max", () => {
  const size = fc.oneof(edgeSize(256), fc.constantFrom(65535, 65536, 65537, 100_003));

  it("agree with the reference for every length", async () => {
    await fc.assert(
      fc.asyncProperty(size, anySeed, async (length, seed) => {
        await expectSame(
          devices,
          { x: randomInput([length], seed) },
          (recorder, { x }) => ({ total: sum(recorder, x), largest: max(recorder, x) }),
          { total: f32Tolerance(length), largest: EXACT },
        );
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    { name: "a NaN first", at: 0, value: NaN, expected: NaN },
    { name: "a NaN within", at: 300, value: NaN, expected: NaN },
    { name: "a NaN last", at: 599, value: NaN, expected: NaN },
    { name: "+Infinity", at: 400, value: Infinity, expected: Infinity },
    { name: "-Infinity", at: 400, value: -Infinity, expected: -1 },
  ])("max of numbers below 0 with $name", async ({ at, value, expected }) => {
    const data = Float32Array.from({ length: 600 }, (_, index) => -1 - index / 7);
    data[at] = value;
    const inputs = { x: { shape: [600], dtype: "f32", data } } as const;
    for (const device of [devices.cpu, devices.gpu]) {
      const { largest } = await runKernel(device, inputs, (recorder, { x }) => ({ largest: max(recorder, x) }));
      expectClose(largest, [expected], EXACT);
    }
  });
});

describe("reduce's contract", () => {
  it("says what is wrong with a shape", () => {
    const cpu = new CpuDevice();
    const recorder = new Recorder(cpu);
    const x = createTensor(cpu, [4], { name: "x" });
    expect(() => sumChannels(recorder, x)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: sumChannels: x is [4]; expected at least 2 axes (N C …)]`,
    );
    expect(() => sum(recorder, x, { out: x })).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: sum: out is [4]; expected [1]]`,
    );
  });

  it("plans an invocation for each chunk", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 5000 }), (channels, chunks) => {
        const { grid } = planReduce("sum", { samples: 1, channels, positions: 9999 }, chunks);
        expect(grid[0] * grid[1] * 64).toBeGreaterThanOrEqual(channels * chunks);
        expect(Math.max(...grid)).toBeLessThanOrEqual(65535);
      }),
    );
  });
});
