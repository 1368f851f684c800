import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitSum, tileCount, tiledByRule } from "../../src/kernels/gemm/split.js";
import { sumParts } from "../../src/kernels/gemm/sum-parts.js";
import { tiledVariants, tileNeeds, tiles } from "../../src/kernels/gemm/tile.js";
import { matmul, planMatmul } from "../../src/kernels/matmul/index.js";
import { CpuDevice, createTensor, Recorder, type Shape } from "../../src/tensor/index.js";
import { f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, expectSame, oddInput, randomInput } from "./harness.js";

const devices = useDevices();
const size = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2_000_000 }));
const anyExtent = fc.record({ rows: size, columns: size, depth: size });

describe.each(tiledVariants)("the tile of %s", (variant) => {
  const tile = tiles[variant];
  const { invocations, memory } = tileNeeds(tile);

  it("fits every WebGPU device", () => {
    expect(invocations).toBeLessThanOrEqual(256);
    expect(memory).toBeLessThanOrEqual(16384);
  });

  it("is filled evenly, each invocation in one row or column", () => {
    expect(invocations % tile.TILE_M).toBe(0);
    expect(invocations % tile.TILE_N).toBe(0);
    expect(invocations).toBeGreaterThanOrEqual(tile.TILE_K);
    expect((tile.TILE_M * tile.TILE_K) % invocations).toBe(0);
    expect((tile.TILE_N * tile.TILE_K) % invocations).toBe(0);
  });

  it("cuts sums into parts that cover them, of whole tiles but for the last, none of them empty or too many", () => {
    fc.assert(
      fc.property(anyExtent, (extent) => {
        const { parts, partDepth } = splitSum(variant, extent);
        expect(partDepth % tile.TILE_K).toBe(0);
        expect(parts * partDepth).toBeGreaterThanOrEqual(extent.depth);
        expect((parts - 1) * partDepth).toBeLessThan(extent.depth);
        expect(parts === 1 || parts * tileCount(tile, extent) <= 1200).toBe(true);
      }),
    );
  });
});

describe("sums by tiles", () => {
  it("are in parts only where workgroups are few and sums long", () => {
    const parts = (rows: number, columns: number, depth: number) =>
      splitSum("tiled-64x64", { rows, columns, depth }).parts;
    expect(parts(64, 64, 511)).toBe(1);
    expect(parts(64, 64, 512)).toBe(2);
    expect(parts(64, 576, 131072)).toBe(133);
    expect(parts(1024, 1024, 1024)).toBe(4);
    expect(parts(1280, 1024, 1024)).toBe(1);
  });

  it("take the largest tiles that keep a GPU busy, and small ones at the edges of a result", () => {
    const rule = (rows: number, columns: number, depth: number) => tiledByRule({ rows, columns, depth });
    expect(rule(4096, 4096, 4096)).toBe("tiled-128x64");
    expect(rule(1024, 1024, 1024)).toBe("tiled-64x64");
    expect(rule(512, 512, 512)).toBe("tiled-32x32");
    expect(rule(64, 131072, 576)).toBe("tiled-64x64");
    expect(rule(16, 131072, 150)).toBe("tiled-32x32");
    expect(rule(160, 131072, 1152)).toBe("tiled-64x64");
    expect(rule(1, 1, 1)).toBe("tiled-32x32");
  });

  it("are the same with loops unrolled, as GPUs run them", async () => {
    await expectSame(
      devices,
      { a: randomInput([70, 33], 1), b: randomInput([33, 67], 2), bias: randomInput([67], 3) },
      (recorder, { a, b, bias }) => {
        const c = recorder.temporary([70, 67], "c");
        const cpu = recorder.device.info.kind === "cpu";
        if (cpu) matmul(recorder, a, b, bias, { out: c });
        else {
          recorder.add({
            kernel: "matmul",
            reads: [a, b, bias],
            writes: [c],
            reference: () => undefined,
            plan: (capabilities) =>
              planMatmul("tiled-64x64", { m: 70, n: 67, k: 33 }, {}, true, { ...capabilities, software: false }),
          });
        }
        return { c };
      },
      f32Tolerance(33),
    );
  });
});

describe("sumParts", () => {
  const problem = fc.record({
    parts: fc.constantFrom(1, 2, 3, 17),
    shape: fc.array(fc.constantFrom(1, 2, 3, 8, 33), { minLength: 1, maxLength: 4 }),
    axis: fc.nat(3),
    hasBias: fc.boolean(),
    relu: fc.boolean(),
    odd: fc.boolean(),
    seed: anySeed,
  });

  it("agrees with its reference, with NaN and infinities too", async () => {
    await fc.assert(
      fc.asyncProperty(problem, async ({ parts, shape, axis, hasBias, relu, odd, seed }) => {
        const channelAxis = axis % shape.length;
        const partial = [parts, ...shape];
        await expectSame(
          devices,
          {
            partial: odd ? oddInput(partial, seed) : randomInput(partial, seed),
            bias: randomInput([shape[channelAxis]], seed + 1),
          },
          (recorder, tensors) => {
            const out = recorder.temporary(shape, "out");
            sumParts(recorder, tensors.partial, out, { bias: hasBias ? tensors.bias : undefined, channelAxis, relu });
            return { out };
          },
          f32Tolerance(parts),
        );
      }),
      { numRuns: 60 },
    );
  });

  it("says what does not fit", () => {
    const device = new CpuDevice();
    const sum = (partial: Shape, bias: Shape) => () => {
      const tensors = { out: createTensor(device, [2, 3]), bias: createTensor(device, bias) };
      sumParts(new Recorder(device), createTensor(device, partial), tensors.out, {
        bias: tensors.bias,
        channelAxis: 1,
        relu: false,
      });
    };
    expect(sum([4, 3, 2], [3])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: sumParts: parts is [4, 3, 2]; expected [4, 2, 3]]`,
    );
    expect(sum([4, 2, 3], [2])).toThrowErrorMatchingInlineSnapshot(`[ShapeError: sumParts: bias is [2]; expected [3]]`);
  });
});
