import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseMatmul, matmul, matmulSizes, planMatmul, type MatmulVariant } from "../../src/kernels/matmul/index.js";
import { tiledVariants } from "../../src/kernels/gemm/tile.js";
import type { Capabilities } from "../../src/tensor/index.js";
import { EXACT, expectClose, f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, edgeSize, expectSame, oddInput, randomInput, runKernel, type Input } from "./harness.js";
import { numericalGradient } from "./numerical-gradient.js";

const devices = useDevices();
const variants: MatmulVariant[] = ["register", "subgroup", ...tiledVariants, "few-rows", "few-results"];

/**
 * Whether the device in hand can run the variant. Lavapipe with vectors of 256 bits must: it is what `subgroup` is for.
 */
function runs(variant: MatmulVariant): boolean {
  const { info, capabilities } = devices.gpu;
  if (/llvmpipe.*256.bits/.test(info.adapter)) expect(capabilities.subgroupSize).toBe(8);
  return variant !== "subgroup" || capabilities.subgroupSize === 8;
}

/** Requires the device in hand to refuse the variant. */
async function expectRefusal(variant: MatmulVariant): Promise<void> {
  const inputs = { a: randomInput([3, 2], 1), b: randomInput([2, 4], 2) };
  const run = runKernel(devices.gpu, inputs, (recorder, { a, b }) => ({
    c: matmul(recorder, a, b, undefined, { variant }),
  }));
  await expect(run).rejects.toThrow(/needs subgroups of 8; this device's subgroupSize is/);
}

const problem = fc.record({
  m: fc.oneof(edgeSize(8), edgeSize(32), edgeSize(64)),
  n: edgeSize(64).chain((edge) => fc.constantFrom(edge, 10, 31, 32, 33, 84)),
  // From 512 on, tiles sum in parts.
  k: fc.constantFrom(1, 2, 7, 8, 9, 15, 16, 17, 31, 97, 300, 513),
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  hasBias: fc.boolean(),
  relu: fc.boolean(),
  seed: anySeed,
});

describe.each(variants)("matmul, variant %s", (variant) => {
  it("agrees with the reference at every tile edge", { timeout: 120_000 }, async () => {
    if (!runs(variant)) return expectRefusal(variant);
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
      { numRuns: 40 },
    );
  });

  it("covers the result on a grid of two axes, as many rows have", async () => {
    if (!runs(variant)) return expectRefusal(variant);
    const sizes = { m: 150, n: 300, k: 3 };
    const inputs = { a: randomInput([150, 3], 1), b: randomInput([3, 300], 2) };
    const { folded, whole } = await runKernel(devices.gpu, inputs, (recorder, { a, b }) => {
      const folded = recorder.temporary([150, 300], "folded");
      recorder.add({
        kernel: "matmul",
        reads: [a, b, a],
        writes: [folded],
        reference: () => undefined,
        plan: (capabilities) => {
          const plan = planMatmul(variant, sizes, {}, false, capabilities);
          // More workgroups than there are tiles, as in a grid that does not come out even.
          return { ...plan, grid: [7, Math.ceil(plan.grid[0] / 7) + 1, 1] };
        },
      });
      return { folded, whole: matmul(recorder, a, b, undefined, { variant }) };
    });
    expectClose(folded, whole, EXACT);
  });

  it("carries NaN and infinities to the elements that they reach, and no others", async () => {
    if (!runs(variant)) return expectRefusal(variant);
    const a: Input<"f32"> = { shape: [3, 2], dtype: "f32", data: [1, 2, NaN, 1, Infinity, 1] };
    const b: Input<"f32"> = { shape: [2, 2], dtype: "f32", data: [1, -1, 1, 2] };
    const { plain, rectified } = await runKernel(devices.gpu, { a, b }, (recorder, tensors) => ({
      plain: matmul(recorder, tensors.a, tensors.b, undefined, { variant }),
      rectified: matmul(recorder, tensors.a, tensors.b, undefined, { variant, relu: true }),
    }));
    expectClose(plain, [3, 3, NaN, NaN, Infinity, -Infinity], f32Tolerance(2));
    expectClose(rectified, [3, 3, NaN, NaN, Infinity, 0], f32Tolerance(2));
  });

  it("carries NaN and infinities like the reference at tile edges and transposed, into a given tensor", async () => {
    if (!runs(variant)) return expectRefusal(variant);
    await fc.assert(
      fc.asyncProperty(problem, async ({ m, n, k, transposeA, transposeB, relu, seed }) => {
        const inputs = {
          a: oddInput(transposeA ? [k, m] : [m, k], seed),
          b: oddInput(transposeB ? [n, k] : [k, n], seed + 1),
          out: randomInput([m, n], seed + 2),
        };
        await expectSame(
          devices,
          inputs,
          (recorder, { a, b, out }) => {
            const c = matmul(recorder, a, b, undefined, { transposeA, transposeB, relu, variant, out });
            expect(c).toBe(out);
            return { out };
          },
          f32Tolerance(k),
        );
      }),
      { numRuns: 20 },
    );
  });

  it("gives the gradients of a linear layer that finite differences show", async () => {
    if (!runs(variant)) return expectRefusal(variant);
    // Y = X·Wᵀ is linear in X and in W: a step of 0.5 has no error but that of rounding.
    const inputs = { x: randomInput([5, 3], 1), w: randomInput([4, 3], 2) };
    const dY = randomInput([5, 4], 3);
    const [dX, dW] = await Promise.all(
      (["x", "w"] as const).map((name) =>
        numericalGradient(
          devices.cpu,
          inputs,
          name,
          dY.data,
          (recorder, { x, w }) => matmul(recorder, x, w, undefined, { transposeB: true }),
          0.5,
        ),
      ),
    );
    const found = await runKernel(devices.gpu, { ...inputs, dY }, (recorder, tensors) => ({
      dX: matmul(recorder, tensors.dY, tensors.w, undefined, { variant }),
      dW: matmul(recorder, tensors.dY, tensors.x, undefined, { transposeA: true, variant }),
    }));
    expectClose(found.dX, dX, f32Tolerance(20), "dX");
    expectClose(found.dW, dW, f32Tolerance(20), "dW");
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
      fc.property(fc.nat(20_000_000), fc.nat(3000), fc.constantFrom(...variants), (m, n, variant) => {
        const { grid, program } = planMatmul(variant, { m: m + 1, n: n + 1, k: 1 }, {}, false, lanes(8));
        const constants = program.constants as Record<string, number>;
        const { TILE_M = constants.ROWS, TILE_N = constants.COLUMNS, WORKGROUP = 1 } = constants;
        const tiles = Math.ceil((m + 1) / TILE_M) * Math.ceil((n + 1) / (TILE_N * WORKGROUP));
        expect(grid[0] * grid[1]).toBeGreaterThanOrEqual(tiles);
        expect(grid[2]).toBe(1);
        expect(Math.max(...grid)).toBeLessThanOrEqual(65535);
      }),
    );
  });

  it("gives a lane of the subgroup variant 4 columns where 8 would stand idle", () => {
    const columns = (n: number) =>
      planMatmul("subgroup", { m: 64, n, k: 64 }, {}, false, lanes(8)).program.constants?.TILE_N;
    for (const n of [1, 10, 32, 65, 84]) expect(columns(n), `N = ${n}`).toBe(4);
    for (const n of [33, 64, 100, 120, 512, 576, 1000]) expect(columns(n), `N = ${n}`).toBe(8);
  });

  it("refuses the subgroup variant without subgroups of 8", () => {
    const plan = (subgroupSize: number) => planMatmul("subgroup", { m: 8, n: 8, k: 8 }, {}, false, lanes(subgroupSize));
    expect(() => plan(4)).toThrowErrorMatchingInlineSnapshot(
      `[DeviceError: matmul: variant "subgroup" needs subgroups of 8; this device's subgroupSize is 4: use "register" or "tiled-64x64"]`,
    );
    expect(() => plan(0)).toThrowErrorMatchingInlineSnapshot(
      `[DeviceError: matmul: variant "subgroup" needs subgroups of 8; this device's subgroupSize is 0 (none, or of no fixed size): use "register" or "tiled-64x64"]`,
    );
    expect(() => plan(8)).not.toThrow();
  });

  it("refuses workgroups larger than the device's", () => {
    const plan = (variant: MatmulVariant, workgroupMemory: number) => () =>
      planMatmul(variant, { m: 8, n: 8, k: 8 }, {}, false, { ...lanes(8), workgroupMemory });
    expect(plan("tiled-64x64", 8000)).toThrowErrorMatchingInlineSnapshot(
      `[DeviceError: matmul: variant "tiled-64x64" needs workgroups of 256 invocations and 8576 bytes; this device's have at most 1024 and 8000: use "register"]`,
    );
    expect(plan("few-rows", 8000)).toThrowErrorMatchingInlineSnapshot(
      `[DeviceError: matmul: variant "few-rows" needs workgroups of 256 invocations and 8192 bytes; this device's have at most 1024 and 8000: use "register"]`,
    );
    for (const variant of variants) expect(plan(variant, 16384)).not.toThrow();
  });

  it("uses workgroup memory only on hardware, and shuffles only in subgroups of 8", () => {
    const choose = (size: number, software: boolean) =>
      chooseMatmul({ m: 64, n: 64, k: 64 }, {}, { ...lanes(size), software });
    expect(choose(8, true)).toBe("subgroup");
    for (const size of [0, 4, 16]) expect(choose(size, true)).toBe("register");
    for (const size of [0, 8, 32]) expect(choose(size, false)).toBe("tiled-32x32");
  });

  it("takes on hardware what fits the shape", () => {
    const choose = (m: number, n: number, k: number) =>
      chooseMatmul({ m, n, k }, {}, { ...lanes(32), software: false });
    expect(choose(4096, 4096, 4096)).toBe("tiled-128x64");
    expect(choose(1024, 1024, 1024)).toBe("tiled-64x64");
    expect(choose(64, 120, 84)).toBe("tiled-32x32");
    expect(choose(1, 4096, 4096)).toBe("few-rows");
    expect(choose(8, 4096, 4096)).toBe("few-rows");
    expect(choose(9, 4096, 4096)).toBe("tiled-32x32");
    expect(choose(12, 10, 65536)).toBe("few-results");
    const small = { ...lanes(32), software: false, workgroupMemory: 4096 };
    expect(chooseMatmul({ m: 4096, n: 4096, k: 4096 }, {}, small)).toBe("register");
  });

  /** The device's capabilities with another size of subgroup. */
  function lanes(subgroupSize: number): Capabilities {
    return { ...devices.gpu.capabilities, subgroups: subgroupSize > 0, subgroupSize };
  }
});
