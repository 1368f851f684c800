import {
  chooseMatmul,
  matmul,
  matmulChoice,
  type MatmulOptions,
  type MatmulSizes,
  type MatmulVariant,
} from "../../src/kernels/index.js";
import { arithmetic, forcedName, kernelCase, traffic, type Case, type Work } from "./case.js";

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

/** Square products, and those of LeNet-5's first and last and of VGG-16's only linear layer. */
export const matmulCases: readonly Case[] = [
  square(512),
  square(1024),
  square(2048, { full: true }),
  square(4096, { full: true, hardware: true }),
  ...linear(64, 576, 120),
  ...linear(64, 84, 10),
  ...linear(128, 512, 10),
  single(2048),
];
