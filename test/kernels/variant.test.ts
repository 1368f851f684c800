import { describe, expect, it } from "vitest";
import { chooseConv2d, conv2dChoice, conv2dSizes } from "../../src/kernels/conv2d/index.js";
import { chooseMatmul, matmulChoice } from "../../src/kernels/matmul/index.js";
import { chosenVariant } from "../../src/kernels/variant.js";
import { CpuDevice } from "../../src/tensor/index.js";

const software = { ...new CpuDevice().capabilities, software: true };
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

  it("has a key that tells problems apart", () => {
    expect(matmulChoice(product, { transposeB: true }, software).key).toBe("matmul 64x10x84 nt");
    expect(matmulChoice(product, { transposeA: true }, software).key).toBe("matmul 64x10x84 tn");
    expect(conv2dChoice("forward", convolution, software).key).toBe("conv2d forward 64x1x28x28 6 5x5 s1 p0");
    expect(conv2dChoice("weightGradient", convolution, software).key).toBe(
      "conv2d weightGradient 64x1x28x28 6 5x5 s1 p0",
    );
  });
});
