import {
  chooseMatmul,
  matmul,
  matmulChoice,
  type MatmulOptions,
  type MatmulSizes,
  type MatmulVariant,
} from "../../src/kernels/matmul/index.js";
import {
  chooseMatmulHalf,
  matmulHalf,
  matmulHalfChoice,
  type MatmulHalfVariant,
} from "../../src/kernels/matmul-half/index.js";
import { arithmetic, filled, forcedName, kernelCase, recorded, traffic, type Case, type Work } from "./case.js";

interface Product {
  readonly name: string;
  readonly sizes: MatmulSizes;
  readonly options?: MatmulOptions;
  /** Multiply-adds where absent. */
  readonly work?: Work;
  readonly when?: Pick<Case, "full" | "hardware">;
}

/** C = A·B, by the variant that the device's rule takes, or by one that is forced. */
function product({ name, sizes, options = {}, work, when = {} }: Product, variant?: MatmulVariant): Case {
  const { m, n, k } = sizes;
  const a = options.transposeA ? [k, m] : [m, k];
  const b = options.transposeB ? [n, k] : [k, n];
  const made = kernelCase(
    name,
    work ?? arithmetic(2 * m * n * k),
    [a, b],
    (recorder, [left, right]) => matmul(recorder, left, right, undefined, { ...options, ...(variant && { variant }) }),
    when,
  );
  if (variant) return made;
  return {
    ...made,
    variants: (capabilities) => {
      const chosen = chooseMatmul(sizes, options, capabilities);
      return matmulChoice(sizes, options, capabilities).candidates.map((candidate) =>
        product({ name: forcedName(name, candidate, chosen), sizes, options, work, when }, candidate),
      );
    },
  };
}

function square(size: number, when: Product["when"] = {}): Case {
  return product({ name: `matmul ${size}³`, sizes: { m: size, n: size, k: size }, when });
}

/** The product of square matrices of f16, summed in f32. */
function halfSquare(size: number, when: Product["when"] = {}): Case {
  const sizes = { m: size, n: size, k: size };
  const make = (name: string, variant?: MatmulHalfVariant): Case => ({
    name,
    work: arithmetic(2 * size ** 3),
    ...when,
    record: (device) => {
      const [a, b] = [filled(device, [size, size], "f16"), filled(device, [size, size], "f16")];
      return recorded(device, [a, b], (recorder) => matmulHalf(recorder, a, b, undefined, variant && { variant }));
    },
  });
  const name = `matmul f16 ${size}³`;
  return {
    ...make(name),
    variants: (capabilities) => {
      const chosen = chooseMatmulHalf(sizes, {}, capabilities);
      return matmulHalfChoice(sizes, {}, capabilities).candidates.map((candidate) =>
        make(forcedName(name, candidate, chosen), candidate),
      );
    },
  };
}

/** The products of a linear layer: forward x·Wᵀ, the gradient of its input dy·W and of its weights dyᵀ·x. */
function linear(batch: number, inputs: number, outputs: number): Case[] {
  const name = `linear ${batch}×${inputs}→${outputs}`;
  return [
    product({ name, sizes: { m: batch, k: inputs, n: outputs }, options: { transposeB: true } }),
    product({ name: `${name} dx`, sizes: { m: batch, k: outputs, n: inputs } }),
    product({ name: `${name} dw`, sizes: { m: outputs, k: batch, n: inputs }, options: { transposeA: true } }),
  ];
}

/** A linear layer for a single image: bound by reading the weights. */
function single(size: number): Case {
  return product({
    name: `linear 1×${size}→${size}`,
    sizes: { m: 1, k: size, n: size },
    options: { transposeB: true },
    work: traffic(4 * (size * size + 2 * size)),
  });
}

/** Square products of f32 and f16, and those of LeNet-5's first and last and of VGG-16's only linear layer. */
export const matmulCases: readonly Case[] = [
  square(512),
  square(1024),
  square(2048, { full: true }),
  square(4096, { full: true, hardware: true }),
  halfSquare(1024),
  halfSquare(4096, { full: true, hardware: true }),
  ...linear(64, 576, 120),
  ...linear(64, 84, 10),
  ...linear(128, 512, 10),
  single(2048),
];
