import { expectRank, formatShape, type Shape } from "../../tensor/shape.js";
import { ShapeError } from "../../errors.js";

/** How operands are read, and what follows the product: each false where absent. */
export interface MatmulOptions {
  /** Take A as K × M instead of M × K. */
  transposeA?: boolean;
  /** Take B as N × K instead of K × N: the layout of a linear layer's weights. */
  transposeB?: boolean;
  /** Apply max(0, ·) to the result. */
  relu?: boolean;
}

/** The product's sizes: C is M × N, sums run over K. */
export interface MatmulSizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/**
 * Sizes of C = A·B (+ bias), with A M × K and B K × N, each transposed where the options say so.
 * @param operation whose sizes they are, for the messages
 * @throws ShapeError where an operand has not two axes, the inner sizes differ, or `bias` is not N long.
 */
export function matmulSizes(
  a: Shape,
  b: Shape,
  bias: Shape | undefined,
  options: MatmulOptions,
  operation = "matmul",
): MatmulSizes {
  expectRank(operation, "a", a, options.transposeA ? "K M" : "M K");
  expectRank(operation, "b", b, options.transposeB ? "N K" : "K N");
  const [m, k] = options.transposeA ? [a[1], a[0]] : a;
  const [kOfB, n] = options.transposeB ? [b[1], b[0]] : b;
  if (k !== kOfB) {
    throw new ShapeError(
      `${operation}: inner sizes differ: a is ${formatShape(a)}${options.transposeA ? " transposed" : ""} with K = ${k}, ` +
        `b is ${formatShape(b)}${options.transposeB ? " transposed" : ""} with K = ${kOfB}`,
    );
  }
  if (bias && (bias.length !== 1 || bias[0] !== n)) {
    throw new ShapeError(
      `${operation}: bias is ${formatShape(bias)}; expected [${n}], one for each column of the result`,
    );
  }
  return { m, n, k };
}
