import fc from "fast-check";
import { create } from "webgpu";
import { describe, expect, it } from "vitest";
import { tiledVariants } from "../../src/kernels/gemm/tile.js";
import {
  chooseMatmulHalf,
  matmulHalf,
  matmulHalfChoice,
  matmulHalfReference,
  planMatmulHalf,
  type HalfProgram,
  type MatmulHalfVariant,
} from "../../src/kernels/matmul-half/index.js";
import { matrixVariants, type MatrixVariant } from "../../src/kernels/matmul-half/matrix-tile.js";
import { matmulSizes, type MatmulOptions } from "../../src/kernels/matmul/index.js";
import { hostArray, type Capabilities, type GpuPlan, type Recorder, type Tensor } from "../../src/tensor/index.js";
import {
  MATRIX_ENABLES,
  MATRIX_FEATURE,
  matrixDialects,
  matrixSource,
  type MatrixSizes,
} from "../../src/tensor/subgroup-matrix/index.js";
import { dawnOptions, loadDawn } from "../../src/tensor/webgpu/dawn.node.js";
import { assemble } from "../../src/tensor/webgpu/pipelines.js";
import { expectClose, f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";
import emulatedSource from "./emulated-matrices.wgsl?raw";
import { anySeed, edgeSize, expectSame, halfInput, oddInput, randomInput, runKernel, type Input } from "./harness.js";

const devices = useDevices();
const variants: MatmulHalfVariant[] = ["widened", ...tiledVariants, ...matrixVariants];

/** Whether the device in hand can run the variant; lavapipe must, but for matrices. */
function runs(variant: MatmulHalfVariant): boolean {
  const { info, capabilities } = devices.gpu;
  if (info.adapter.includes("llvmpipe")) expect(capabilities.f16).toBe(true);
  if (variant.startsWith("subgroup-matrix")) return capabilities.subgroupMatrix !== undefined;
  return variant === "widened" || capabilities.f16;
}

/** Requires the device in hand to refuse the variant. */
async function expectRefusal(variant: MatmulHalfVariant): Promise<void> {
  const inputs = { a: halfInput(randomInput([3, 2], 1)), b: halfInput(randomInput([2, 4], 2)) };
  const run = runKernel(devices.gpu, inputs, (recorder, { a, b }) => ({
    c: matmulHalf(recorder, a, b, undefined, { variant }),
  }));
  await expect(run).rejects.toThrow(/needs (subgroup matrices; this device has none|f16, which this device has not)/);
}

/** A GPU with tensor cores, changed. */
function gpu(change: Partial<Capabilities> = {}): Capabilities {
  return {
    ...devices.gpu.capabilities,
    software: false,
    f16: true,
    subgroupSize: 32,
    subgroupMatrix: { m: 16, n: 16, k: 16, dialect: "template" },
    workgroupMemory: 48 * 1024,
    workgroupInvocations: 1024,
    ...change,
  };
}

const problem = fc.record({
  m: edgeSize(64).chain((edge) => fc.constantFrom(edge, 1, 8, 129)),
  n: edgeSize(64).chain((edge) => fc.constantFrom(edge, 10, 31, 32, 33)),
  k: fc.constantFrom(1, 2, 7, 15, 16, 17, 31, 32, 33, 64, 97, 513),
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  hasBias: fc.boolean(),
  relu: fc.boolean(),
  odd: fc.boolean(),
  seed: anySeed,
});

type Problem = typeof problem extends fc.Arbitrary<infer P> ? P : never;

/** Operands of a problem, with NaN and infinities among them where it asks for them. */
function operands({ m, n, k, transposeA, transposeB, odd, seed }: Problem) {
  const input = odd ? oddInput : randomInput;
  return {
    a: halfInput(input(transposeA ? [k, m] : [m, k], seed)),
    b: halfInput(input(transposeB ? [n, k] : [k, n], seed + 1)),
    bias: randomInput([n], seed + 2),
  };
}

describe.each(variants)("matmulHalf, variant %s", (variant) => {
  it("agrees with the reference at every tile edge, NaN and infinities too", { timeout: 120_000 }, async () => {
    if (!runs(variant)) return expectRefusal(variant);
    await fc.assert(
      fc.asyncProperty(problem, async (problem) => {
        const { transposeA, transposeB, hasBias, relu, k } = problem;
        await expectSame(
          devices,
          operands(problem),
          (recorder, { a, b, bias }) => ({
            c: matmulHalf(recorder, a, b, hasBias ? bias : undefined, { transposeA, transposeB, relu, variant }),
          }),
          f32Tolerance(k),
        );
      }),
      { numRuns: 15 },
    );
  });

  it("multiplies what 16 bits hold, and sums in f32, into a given tensor", async () => {
    if (!runs(variant)) return expectRefusal(variant);
    // In f16, 2048 + 1 is 2048; in f32, 1 + 2^-11 is no f16 but is kept of a sum.
    const a: Input<"f16"> = { shape: [2, 2], dtype: "f16", data: [2048, 1, 1, 2 ** -11] };
    const b: Input<"f16"> = { shape: [2, 1], dtype: "f16", data: [1, 1.0001] };
    const out = randomInput([2, 1], 1);
    const { c } = await runKernel(devices.gpu, { a, b, out }, (recorder, tensors) => {
      const c = matmulHalf(recorder, tensors.a, tensors.b, undefined, { variant, out: tensors.out });
      expect(c).toBe(tensors.out);
      return { c };
    });
    expect([...c]).toEqual([2049, 1 + 2 ** -11]);
  });
});

describe("matmulHalf by subgroup matrices, these made of plain WGSL", () => {
  /** Records the variant as on a device with matrices of these sizes, which the test's module emulates. */
  function emulated(
    recorder: Recorder,
    { a, b, bias }: { a: Tensor<"f16">; b: Tensor<"f16">; bias?: Tensor<"f32"> | undefined },
    options: MatmulOptions & { variant: MatrixVariant },
    matrix: MatrixSizes,
    fold = (plan: GpuPlan) => plan,
  ): Tensor<"f32"> {
    const sizes = matmulSizes(a.shape, b.shape, bias?.shape, options);
    const out = recorder.temporary([sizes.m, sizes.n], "emulated");
    recorder.add({
      kernel: "emulated",
      reads: [a, b, bias ?? a],
      writes: [out],
      reference: () => {
        matmulHalfReference(hostArray(a), hostArray(b), bias && hostArray(bias), hostArray(out), sizes, options);
      },
      plan: (capabilities) => {
        const offering: Capabilities = { ...capabilities, subgroupMatrix: { ...matrix, dialect: "template" } };
        const plan = planMatmulHalf(options.variant, sizes, options, bias !== undefined, offering);
        const matrices = matrixSource("template");
        const [product, ...rest] = plan.program.source.filter((source) => !matrices.includes(source));
        const enables = MATRIX_ENABLES.filter((name) => !name.includes("matrix"));
        return fold({ ...plan, program: { ...plan.program, enables, source: [product, emulatedSource, ...rest] } });
      },
    });
    return out;
  }

  /** Whether the device in hand can: lavapipe must. */
  function emulates(): boolean {
    const { info, capabilities } = devices.gpu;
    const able = capabilities.f16 && capabilities.subgroupSize > 0;
    if (info.adapter.includes("llvmpipe")) expect(able).toBe(true);
    return able;
  }

  const combinations = fc.constantFrom<[MatrixVariant, MatrixSizes]>(
    ["subgroup-matrix-64x64", { m: 16, n: 32, k: 16 }],
    ["subgroup-matrix-64x64", { m: 32, n: 8, k: 32 }],
    ["subgroup-matrix-128x128", { m: 16, n: 16, k: 32 }],
  );

  it("agrees with the reference at every tile edge, NaN and infinities too", { timeout: 240_000 }, async () => {
    if (!emulates()) return expectRefusal("subgroup-matrix-64x64");
    await fc.assert(
      fc.asyncProperty(combinations, problem, async ([variant, matrix], problem) => {
        const { transposeA, transposeB, hasBias, relu, k } = problem;
        const options = { transposeA, transposeB, relu, variant };
        await expectSame(
          devices,
          operands(problem),
          (recorder, { a, b, bias }) => ({
            c: emulated(recorder, { a, b, bias: hasBias ? bias : undefined }, options, matrix),
          }),
          f32Tolerance(k),
        );
      }),
      { numRuns: 6 },
    );
  });

  it("covers the result on a grid of two axes, as many rows have", { timeout: 120_000 }, async () => {
    if (!emulates()) return expectRefusal("subgroup-matrix-64x64");
    const inputs = { a: halfInput(randomInput([150, 3], 1)), b: halfInput(randomInput([3, 200], 2)) };
    const sizes = { m: 32, n: 32, k: 32 };
    // More workgroups than there are tiles, as in a grid that does not come out even.
    const fold = (plan: GpuPlan): GpuPlan => ({ ...plan, grid: [5, 3, 1] });
    await expectSame(
      devices,
      inputs,
      (recorder, tensors) => ({
        folded: emulated(recorder, tensors, { variant: "subgroup-matrix-64x64" }, sizes, fold),
      }),
      f32Tolerance(3),
    );
  });
});

describe("the programs of subgroup matrices", () => {
  it.each(matrixDialects)("are WGSL that Dawn takes, dialect %s", { timeout: 120_000 }, async (dialect) => {
    // The backend without a GPU validates and translates everything and computes nothing.
    await loadDawn();
    const nothing = create([...dawnOptions("safe"), "backend=null"]);
    const adapter = (await nothing.requestAdapter())!;
    const device = await adapter.requestDevice({
      requiredFeatures: ["shader-f16", "subgroups", MATRIX_FEATURE] as GPUFeatureName[],
    });
    const { subgroupMaxSize } = adapter.info;
    const sides = fc.constantFrom(8, 16, 32);
    const program = fc.record({ m: sides, n: sides, k: sides, transposeA: fc.boolean(), transposeB: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        program,
        fc.constantFrom(...matrixVariants),
        async ({ transposeA, transposeB, ...sides }, variant) => {
          const capabilities = gpu({ subgroupSize: subgroupMaxSize!, subgroupMatrix: { ...sides, dialect } });
          const plan = planMatmulHalf(variant, { m: 7, n: 8, k: 9 }, { transposeA, transposeB }, true, {
            ...capabilities,
            workgroupMemory: 2 ** 20,
          });
          const whole = device.createShaderModule({ code: assemble(plan.program) });
          const { messages } = await whole.getCompilationInfo();
          expect(messages.filter(({ type }) => type === "error")).toEqual([]);
          // Pipelines also keep to the limits of this backend, with its subgroups of up to 128: by a smaller tile.
          const constants = { ...plan.program.constants, TILE_M: 32, TILE_N: 64, SUBGROUPS_M: 1, SUBGROUPS_N: 2 };
          const module = device.createShaderModule({ code: assemble({ ...plan.program, constants }) });
          await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
        },
      ),
      { numRuns: 15 },
    );
    device.destroy();
  });
});

describe("matmulHalf's choice", () => {
  const sizes = { m: 4096, n: 4096, k: 4096 };

  it("is matrices where there are some, else tiles, else the f32 product", () => {
    const choose = (change?: Partial<Capabilities>, m = 4096) => chooseMatmulHalf({ ...sizes, m }, {}, gpu(change));
    expect(choose()).toBe("subgroup-matrix-128x128");
    expect(choose({}, 64)).toBe("subgroup-matrix-64x64");
    expect(choose({ workgroupMemory: 16 * 1024 })).toBe("subgroup-matrix-64x64");
    expect(choose({ subgroupMatrix: undefined })).toMatch(/^tiled-/);
    expect(choose({ subgroupMatrix: undefined, f16: false })).toBe("widened");
    expect(choose({ software: true })).toBe("widened");
    expect(chooseMatmulHalf(sizes, {}, devices.cpu.capabilities)).toBe("widened");
  });

  it("is one of its candidates, and the measured one of those where there is one", () => {
    const { key, candidates } = matmulHalfChoice(sizes, { transposeB: true }, gpu());
    expect(key).toBe("matmulHalf 4096x4096x4096 nt");
    expect(candidates).toEqual(["widened", ...tiledVariants, ...matrixVariants]);
    for (const candidate of candidates) {
      expect(chooseMatmulHalf(sizes, { transposeB: true }, gpu({ tuned: { [key]: candidate } }))).toBe(candidate);
    }
    const without = gpu({ subgroupMatrix: undefined, tuned: { [key]: "subgroup-matrix-64x64" } });
    expect(chooseMatmulHalf(sizes, { transposeB: true }, without)).toMatch(/^tiled-/);
  });

  it("plans grids that cover the result, within what the device has", () => {
    const programs: HalfProgram[] = [...tiledVariants, ...matrixVariants];
    fc.assert(
      fc.property(fc.nat(20_000_000), fc.nat(3000), fc.constantFrom(...programs), (m, n, variant) => {
        const { grid, program } = planMatmulHalf(variant, { m: m + 1, n: n + 1, k: 1 }, {}, false, gpu());
        const { TILE_M, TILE_N } = program.constants as Record<string, number>;
        expect(grid[0] * grid[1]).toBeGreaterThanOrEqual(Math.ceil((m + 1) / TILE_M) * Math.ceil((n + 1) / TILE_N));
        expect(Math.max(...grid)).toBeLessThanOrEqual(65535);
      }),
    );
  });

  it("refuses what the device has not, with the cure", () => {
    const plan = (variant: HalfProgram, change: Partial<Capabilities>) =>
      planMatmulHalf(variant, { m: 8, n: 8, k: 8 }, {}, false, gpu(change));
    expect(() => plan("tiled-64x64", { f16: false })).toThrowErrorMatchingInlineSnapshot(
      `[DeviceError: matmulHalf: variant "tiled-64x64" needs f16, which this device has not: use "widened"]`,
    );
    expect(() => plan("subgroup-matrix-64x64", { subgroupMatrix: undefined })).toThrowErrorMatchingInlineSnapshot(
      `[DeviceError: matmulHalf: variant "subgroup-matrix-64x64" needs subgroup matrices; this device has none that work (\`activemixup doctor\` tells why): use "tiled-64x64" or "widened"]`,
    );
    expect(() => plan("subgroup-matrix-128x128", { workgroupMemory: 16384 })).toThrowErrorMatchingInlineSnapshot(
      `[DeviceError: matmulHalf: variant "subgroup-matrix-128x128" needs workgroups of 256 invocations and 27136 bytes; this device's have at most 1024 and 16384: use "subgroup-matrix-64x64" or "widened"]`,
    );
    for (const variant of matrixVariants) expect(() => plan(variant, {})).not.toThrow();
  });
});

describe("matmulHalf's contract", () => {
  it("is the f32 product of the rounded operands, on the CPU device by whatever variant", async () => {
    const inputs = {
      a: halfInput(randomInput([5, 7], 1)),
      b: halfInput(randomInput([7, 3], 2)),
      bias: randomInput([3], 3),
    };
    const results = await Promise.all(
      variants.map((variant) =>
        runKernel(devices.cpu, inputs, (recorder, { a, b, bias }) => ({
          c: matmulHalf(recorder, a, b, bias, { relu: true, variant }),
        })),
      ),
    );
    for (const { c } of results) expectClose(c, results[0].c, { rtol: 0, atol: 0 });
  });

  it("says what does not fit", async () => {
    const inputs = {
      a: halfInput(randomInput([4, 8], 1)),
      b: halfInput(randomInput([6, 2], 2)),
      f: randomInput([8, 2], 3),
    };
    await runKernel(devices.cpu, inputs, (recorder, { a, b, f }) => {
      expect(() => matmulHalf(recorder, a, b)).toThrow("matmulHalf: inner sizes differ: a is [4, 8] with K = 8");
      expect(() => matmulHalf(recorder, a, f as Tensor as Tensor<"f16">)).toThrow(
        'matmulHalf: b ("f") holds f32; expected f16',
      );
      expect(() => matmulHalf(recorder, a, a, b as Tensor as Tensor<"f32">, { transposeB: true })).toThrow(
        "matmulHalf: bias is [6, 2]; expected [4]",
      );
      return {};
    });
  });
});
