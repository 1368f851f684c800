import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseMatmul, matmul, matmulSizes, planMatmul, type MatmulVariant } from "../../src/kernels/matmul/index.js";
import { expectClose, f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, edgeSize, expectSame, randomInput, runKernel, type Input } from "./harness.js";

const devices = useDevices();
const variants: MatmulVariant[] = ["register", "tiled"];

const problem = fc.record({
  m: edgeSize(8).chain((small) => fc.constantFrom(small, 64, 65)),
  n: edgeSize(64),
  k: fc.constantFrom(1, 2, 15, 16, 17, 31, 97),
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  hasBias: fc.boolean(),
  relu: fc.boolean(),
  seed: anySeed,
});

describe.each(variants)("matmul, variant %s", (variant) => {
  it("agrees with the reference at every tile edge", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(problem, async ({ m, n, k, transposeA, transposeB, hasBias, relu, seed }) => {
        const inputs = {
          a: randomInput(transposeA ? [k, m] : [m, k], seed),
          b: randomInput(transposeB ? [n, k] : [k, n], seed + 1),
          bias: randomInput([n], seed + 2),
        };
        await expectSame(
          devices,
          inputs,
          (recorder, { a, b, bias }) => ({
            c: matmul(recorder, a, b, hasBias ? bias : undefined, { transposeA, transposeB, relu, variant }),
          }),
          f32Tolerance(k),
        );
      }),
      { numRuns: 60 },
    );
  });

  it("carries NaN and infinities to the elements that they reach, and no others", async () => {
    const a: Input<"f32"> = { shape: [3, 2], dtype: "f32", data: [1, 2, NaN, 1, Infinity, 1] };
    const b: Input<"f32"> = { shape: [2, 2], dtype: "f32", data: [1, -1, 1, 2] };
    const { c } = await runKernel(devices.gpu, { a, b }, (recorder, tensors) => ({
      c: matmul(recorder, tensors.a, tensors.b, undefined, { variant }),
    }));
    expectClose(c, [3, 3, NaN, NaN, Infinity, -Infinity], f32Tolerance(2));
  });
});

describe("matmul's contract", () => {
  it("says which sizes differ", () => {
    expect(() => matmulSizes([4, 8], [6, 2], undefined, {})).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: matmul: inner sizes differ: a is [4, 8] with K = 8, b is [6, 2] with K = 6]`,
    );
    expect(() => matmulSizes([4, 8], [8, 2], [3], {})).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: matmul: bias is [3]; expected [2], one for each column of the result]`,
    );
  });

  it("plans a grid that covers the result", () => {
    fc.assert(
      fc.property(fc.nat(3000), fc.nat(3000), fc.constantFrom(...variants), (m, n, variant) => {
        const { grid, program } = planMatmul(variant, { m: m + 1, n: n + 1, k: 1 }, {}, false);
        const { TILE_M = 64, TILE_N = 64, WORKGROUP = 1 } = (program.constants ?? {}) as Record<string, number>;
        expect(grid[0] * TILE_N * WORKGROUP).toBeGreaterThan(n);
        expect(grid[1] * TILE_M).toBeGreaterThan(m);
      }),
    );
  });

  it("uses workgroup memory only on hardware", () => {
    expect(chooseMatmul(devices.gpu.capabilities)).toBe(devices.gpu.info.software ? "register" : "tiled");
    expect(chooseMatmul({ ...devices.gpu.capabilities, software: false })).toBe("tiled");
  });
});
