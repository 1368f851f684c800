import { ShapeError } from "../../errors.js";
import { expectRank, expectShape, formatShape, type Shape } from "../../tensor/shape.js";
import type { Extent } from "../gemm/split.js";
import type { Target } from "../output.js";
import type { Conv2dVariant } from "./choice.js";

/** How windows lie on the image, and what follows the convolution. */
export interface Conv2dOptions {
  /** Pixels from one window to the next, along both axes; 1 where absent. */
  stride?: number;
  /** Zeros around the image, on all four sides; 0 where absent. */
  padding?: number;
  /** Apply max(0, ·) to the result of the forward pass; false where absent. */
  relu?: boolean;
}

/** Where a result goes and which variant makes it. */
export interface Conv2dTarget extends Target {
  /** Instead of the variant that fits the device and the sizes: for tests and benchmarks. */
  variant?: Conv2dVariant;
}

/** All sizes of one convolution: input N C H W, weights O C KH KW, output N O OH OW. */
export interface Conv2dSizes {
  readonly n: number;
  readonly c: number;
  readonly h: number;
  readonly w: number;
  readonly o: number;
  readonly kh: number;
  readonly kw: number;
  readonly oh: number;
  readonly ow: number;
  readonly stride: number;
  readonly padding: number;
}

/**
 * Sizes of the convolution of `x` [N, C, H, W] with `weight` [O, C, KH, KW] (a cross-correlation, as in all neural
 * networks): OH = ⌊(H + 2·padding − KH) / stride⌋ + 1, and OW likewise.
 * @throws ShapeError where an operand has not four axes, the channels differ, `bias` is not O long, the window is
 * larger than the padded image, or an option is not a whole number in its range.
 */
export function conv2dSizes(
  x: Shape,
  weight: Shape,
  bias: Shape | undefined,
  { stride = 1, padding = 0 }: Conv2dOptions,
): Conv2dSizes {
  expectRank("conv2d", "x", x, "N C H W");
  expectRank("conv2d", "weight", weight, "O C KH KW");
  const [n, c, h, w] = x;
  const [o, channels, kh, kw] = weight;
  if (!Number.isInteger(stride) || stride < 1) {
    throw new ShapeError(`conv2d: stride is ${stride}; expected a whole number from 1 up`);
  }
  if (!Number.isInteger(padding) || padding < 0) {
    throw new ShapeError(`conv2d: padding is ${padding}; expected a whole number from 0 up`);
  }
  if (channels !== c) {
    throw new ShapeError(
      `conv2d: channels differ: x is ${formatShape(x)} with C = ${c}, ` +
        `weight is ${formatShape(weight)} with C = ${channels}`,
    );
  }
  if (bias && (bias.length !== 1 || bias[0] !== o)) {
    throw new ShapeError(`conv2d: bias is ${formatShape(bias)}; expected [${o}], one for each output channel`);
  }
  if (kh > h + 2 * padding || kw > w + 2 * padding) {
    throw new ShapeError(
      `conv2d: the ${kh} × ${kw} window does not fit x ${formatShape(x)} with padding ${padding} ` +
        `(${h + 2 * padding} × ${w + 2 * padding} pixels); use a smaller window or more padding`,
    );
  }
  const oh = Math.floor((h + 2 * padding - kh) / stride) + 1;
  const ow = Math.floor((w + 2 * padding - kw) / stride) + 1;
  return { n, c, h, w, o, kh, kw, oh, ow, stride, padding };
}

/**
 * The result's shape, [N, O, OH, OW].
 * @throws ShapeError as {@link conv2dSizes} does.
 */
export function conv2dShape(x: Shape, weight: Shape, bias: Shape | undefined, options: Conv2dOptions): Shape {
  const { n, o, oh, ow } = conv2dSizes(x, weight, bias, options);
  return [n, o, oh, ow];
}

/**
 * Sizes of a gradient: those of the forward pass.
 * @throws ShapeError as {@link conv2dSizes} does, or where `dOut` has not the shape of the forward pass's result.
 */
export function conv2dGradientSizes(
  operation: string,
  x: Shape,
  weight: Shape,
  dOut: Shape,
  options: Conv2dOptions,
): Conv2dSizes {
  const sizes = conv2dSizes(x, weight, undefined, options);
  expectShape(operation, "dOut", dOut, [sizes.n, sizes.o, sizes.oh, sizes.ow]);
  return sizes;
}

/** Multiply-adds of one pass over the convolution. */
export function multiplyAdds({ n, c, o, kh, kw, oh, ow }: Conv2dSizes): number {
  return n * o * oh * ow * c * kh * kw;
}

/** The weights' gradient as a product of matrices: output channels × taps, summed over output pixels. */
export function weightGradientExtent({ n, c, o, oh, ow, kh, kw }: Conv2dSizes): Extent {
  return { rows: o, columns: c * kh * kw, depth: n * oh * ow };
}
