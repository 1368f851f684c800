import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { forwardCorrelation, inputGradientCorrelation } from "../../src/kernels/conv2d/correlation.js";
import {
  chooseConv2d,
  conv2dChoice,
  conv2dSizes,
  type Conv2dPass,
  type Conv2dVariant,
} from "../../src/kernels/conv2d/index.js";
import { planCorrelation, planWeightGradient } from "../../src/kernels/conv2d/plan.js";
import { chooseMatmul, matmulChoice, planMatmul, type MatmulVariant } from "../../src/kernels/matmul/index.js";
import { chosenVariant, type Choice } from "../../src/kernels/variant.js";
import { conv2d, conv2dInputGradient, conv2dWeightGradient } from "../../src/kernels/conv2d/index.js";
import { matmul } from "../../src/kernels/matmul/index.js";
import { matmulHalf } from "../../src/kernels/matmul-half/index.js";
import { CpuDevice, createTensor, Recorder, type Capabilities, type GpuPlan } from "../../src/tensor/index.js";

/** What every WebGPU device has at least. */
const least = { workgroupMemory: 16384, workgroupInvocations: 256 };
const software = { ...new CpuDevice().capabilities, ...least, software: true };
const hardware = { ...software, software: false };
const product = { m: 64, n: 10, k: 84 };
const convolution = conv2dSizes([64, 1, 28, 28], [6, 1, 5, 5], undefined, {});

describe("the variant of a kernel", () => {
  const choice = { key: "matmul 1x2x3 nn", candidates: ["register", "tiled"], byRule: "register" } as const;

  it("is the measured winner of this very problem, else that of the rule", () => {
    expect(chosenVariant(choice, { tuned: {} })).toBe("register");
    expect(chosenVariant(choice, { tuned: { "matmul 1x2x3 nn": "tiled" } })).toBe("tiled");
    expect(chosenVariant(choice, { tuned: { "matmul 1x2x3 nt": "tiled" } })).toBe("register");
  });

  it("is never one that the device cannot run, whatever was measured", () => {
    expect(chosenVariant(choice, { tuned: { "matmul 1x2x3 nn": "subgroup" } })).toBe("register");
    expect(chosenVariant(choice, { tuned: { "matmul 1x2x3 nn": "" } })).toBe("register");
  });

  it("of the matrix product and the convolution heeds what was measured, on software and hardware", () => {
    for (const capabilities of [software, hardware]) {
      const { key, candidates } = matmulChoice(product, { transposeB: true }, capabilities);
      for (const candidate of candidates) {
        const tuned = { [key]: candidate };
        expect(chooseMatmul(product, { transposeB: true }, { ...capabilities, tuned })).toBe(candidate);
      }
      for (const pass of ["forward", "inputGradient", "weightGradient"] as const) {
        const { key, candidates } = conv2dChoice(pass, convolution, capabilities);
        for (const candidate of candidates) {
          expect(chooseConv2d(pass, convolution, { ...capabilities, tuned: { [key]: candidate } })).toBe(candidate);
        }
      }
    }
  });

  it("is refused by its name where the kernel has none such: another would run", () => {
    const device = new CpuDevice();
    const recorder = new Recorder(device);
    const matrix = createTensor(device, [4, 4]);
    const half = createTensor(device, [4, 4], { dtype: "f16" });
    const images = createTensor(device, [1, 1, 4, 4]);
    const weight = createTensor(device, [1, 1, 4, 4]);
    const out = createTensor(device, [1, 1, 1, 1]);
    const refused = (variant: string, body: (options: { variant: never }) => unknown) => {
      expect(() => body({ variant: variant as never })).toThrow(`variant is "${variant}"; expected one of `);
    };
    for (const variant of ["tiled-64x32", "few-channels", ""]) {
      refused(variant, (options) => matmul(recorder, matrix, matrix, undefined, options));
      refused(variant, (options) => matmulHalf(recorder, half, half, undefined, options));
    }
    for (const variant of ["tiled-64x32", "register", ""]) {
      refused(variant, (options) => conv2d(recorder, images, weight, undefined, options));
      refused(variant, (options) => conv2dInputGradient(recorder, out, weight, images.shape, options));
      refused(variant, (options) => conv2dWeightGradient(recorder, images, out, weight.shape, options));
    }
    expect(recorder.launches).toEqual([]);
  });

  it("has a key that tells problems apart", () => {
    expect(matmulChoice(product, { transposeB: true }, software).key).toBe("matmul 64x10x84 nt");
    expect(matmulChoice(product, { transposeA: true }, software).key).toBe("matmul 64x10x84 tn");
    expect(conv2dChoice("forward", convolution, software).key).toBe("conv2d forward 64x1x28x28 6 5x5 s1 p0");
    expect(conv2dChoice("weightGradient", convolution, software).key).toBe(
      "conv2d weightGradient 64x1x28x28 6 5x5 s1 p0",
    );
  });

  it("of a convolution is on hardware what fits the shape", () => {
    const choose = (pass: Conv2dPass, x: number[], weight: number[]) =>
      chooseConv2d(pass, conv2dSizes(x, weight, undefined, { padding: (weight[3] - 1) / 2 }), hardware);
    expect(choose("forward", [64, 1, 28, 28], [6, 1, 5, 5])).toBe("few-channels");
    expect(choose("forward", [128, 3, 32, 32], [64, 3, 3, 3])).toBe("tiled-64x64");
    expect(choose("forward", [128, 64, 32, 32], [128, 64, 3, 3])).toBe("tiled-128x64");
    expect(choose("inputGradient", [128, 64, 32, 32], [128, 64, 3, 3])).toBe("tiled-64x64");
    expect(choose("weightGradient", [128, 64, 32, 32], [128, 64, 3, 3])).toBe("tiled-128x64");
    expect(choose("weightGradient", [64, 1, 28, 28], [6, 1, 5, 5])).toBe("tiled-32x32");
    expect(choose("forward", [1, 1, 28, 28], [6, 1, 5, 5])).toBe("direct");
  });
});

describe("every candidate", () => {
  const anyCapabilities = fc
    .record({
      software: fc.boolean(),
      subgroupSize: fc.constantFrom(0, 8, 32),
      workgroupMemory: fc.constantFrom(0, 4096, 16384, 32768),
      workgroupInvocations: fc.constantFrom(1, 128, 256, 1024),
    })
    .map((own): Capabilities => ({ ...software, ...own }));
  const length = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5000 }));

  function expectRunnable({ candidates, byRule }: Choice<string>, plan: (variant: string) => GpuPlan) {
    expect(candidates).toContain(byRule);
    expect(new Set(candidates).size).toBe(candidates.length);
    for (const variant of candidates) {
      const { grid } = plan(variant);
      expect(Math.min(...grid)).toBeGreaterThanOrEqual(1);
      expect(Math.max(...grid)).toBeLessThanOrEqual(65535);
    }
  }

  it("of a matrix product can be planned", () => {
    fc.assert(
      fc.property(anyCapabilities, length, length, length, fc.boolean(), (capabilities, m, n, k, transposeB) => {
        expectRunnable(matmulChoice({ m, n, k }, { transposeB }, capabilities), (variant) =>
          planMatmul(variant as MatmulVariant, { m, n, k }, { transposeB }, true, capabilities),
        );
      }),
    );
  });

  it("of a convolution and its gradients can be planned", () => {
    const channels = fc.integer({ min: 1, max: 600 });
    const window = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(anyCapabilities, length, channels, channels, window, (capabilities, n, c, o, k) => {
        const sizes = conv2dSizes([n, c, 9, 11], [o, c, k, k], undefined, { stride: 2, padding: 1 });
        const problems = {
          forward: forwardCorrelation(sizes, { hasBias: true, relu: true }),
          inputGradient: inputGradientCorrelation(sizes),
        };
        for (const pass of ["forward", "inputGradient"] as const) {
          expectRunnable(conv2dChoice(pass, sizes, capabilities), (variant) =>
            planCorrelation(variant as Conv2dVariant, problems[pass], capabilities),
          );
        }
        expectRunnable(conv2dChoice("weightGradient", sizes, capabilities), (variant) =>
          planWeightGradient(variant as Conv2dVariant, sizes, capabilities),
        );
      }),
    );
  });
});
