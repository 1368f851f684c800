import { matmul, type MatmulOptions } from "../../src/kernels/index.js";
import { arithmetic, kernelCase, traffic, type Case } from "./case.js";

/** C = A·B of square matrices. */
function square(size: number, options: Pick<Case, "full" | "hardware"> = {}): Case {
  const shape = [size, size];
  const body: Parameters<typeof kernelCase>[3] = (recorder, [a, b]) => matmul(recorder, a, b);
  return kernelCase(`matmul ${size}³`, arithmetic(2 * size ** 3), [shape, shape], body, options);
}

/** A product of a linear layer, A as M × K and B as K × N before transposing. */
function product(name: string, [m, k, n]: readonly number[], options: MatmulOptions): Case {
  const a = options.transposeA ? [k, m] : [m, k];
  const b = options.transposeB ? [n, k] : [k, n];
  return kernelCase(name, arithmetic(2 * m * n * k), [a, b], (recorder, [left, right]) =>
    matmul(recorder, left, right, undefined, options),
  );
}

/** The products of a linear layer: forward x·Wᵀ, the gradient of its input dy·W and of its weights dyᵀ·x. */
function linear(batch: number, inputs: number, outputs: number): Case[] {
  const name = `linear ${batch}×${inputs}→${outputs}`;
  return [
    product(`${name} forward`, [batch, inputs, outputs], { transposeB: true }),
    product(`${name} d input`, [batch, outputs, inputs], {}),
    product(`${name} d weight`, [outputs, batch, inputs], { transposeA: true }),
  ];
}

/** A single row times a matrix, as a large linear layer does for one image: bound by reading the matrix. */
function vector(size: number): Case {
  const work = traffic(4 * (size * size + 2 * size));
  return kernelCase(
    `linear 1×${size}→${size} forward`,
    work,
    [
      [1, size],
      [size, size],
    ],
    (recorder, [x, w]) => matmul(recorder, x, w, undefined, { transposeB: true }),
  );
}

/** Square products, and those of LeNet-5's first and VGG-16's only linear layer. */
export const matmulCases: readonly Case[] = [
  square(512),
  square(1024),
  square(2048, { full: true }),
  square(4096, { full: true, hardware: true }),
  ...linear(64, 576, 120),
  ...linear(128, 512, 10),
  vector(2048),
];
