import { InputError, ShapeError } from "../../errors.js";
import { expectRank, formatShape, type Shape } from "../../tensor/shape.js";

/** A square window and how it moves. */
export interface Pool2dOptions {
  /** Side of the window, in pixels. */
  kernel: number;
  /** Pixels from one window to the next; `kernel` where absent, so that windows do not overlap. */
  stride?: number;
  /** Pixels around the image that the windows may cover: at most half of `kernel`. 0 where absent. */
  padding?: number;
}

/** The window of a max pooling, and what follows it. */
export interface MaxPool2dOptions extends Pool2dOptions {
  /** Apply max(0, ·) to the result: the same as before the pooling, for a quarter of the work in windows of 2 × 2. */
  relu?: boolean;
}

/** Sizes of a pooling: `planes` images of `height` × `width` become as many of `outHeight` × `outWidth`. */
export interface PoolGeometry {
  /** N · C. */
  readonly planes: number;
  readonly height: number;
  readonly width: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly stride: number;
  readonly padding: number;
}

/**
 * The shape of a pooling's result: [N, C, OH, OW] with OH = ⌊(H + 2 · padding − kernel) / stride⌋ + 1, likewise OW.
 * @throws ShapeError where x is not [N, C, H, W] or smaller than the window, InputError where an option is not a whole
 * number in its range.
 */
export function pool2dShape(x: Shape, options: Pool2dOptions, operation = "pool2d"): Shape {
  const { outHeight, outWidth } = pool2dGeometry(x, options, operation);
  return [x[0], x[1], outHeight, outWidth];
}

/**
 * All sizes of a pooling of x [N, C, H, W].
 * @throws what {@link pool2dShape} throws.
 */
export function pool2dGeometry(x: Shape, options: Pool2dOptions, operation = "pool2d"): PoolGeometry {
  expectRank(operation, "x", x, "N C H W");
  const { kernel, stride = kernel, padding = 0 } = options;
  expectWhole(operation, "kernel", kernel, 1);
  expectWhole(operation, "stride", stride, 1);
  expectWhole(operation, "padding", padding, 0);
  // A window that lies in the padding altogether would have no maximum.
  if (2 * padding > kernel) {
    throw new InputError(`${operation}: padding is ${padding}; expected at most half of kernel ${kernel}`);
  }
  const [samples, channels, height, width] = x;
  const [outHeight, outWidth] = [height, width].map(
    (length) => Math.floor((length + 2 * padding - kernel) / stride) + 1,
  );
  if (outHeight < 1 || outWidth < 1) {
    throw new ShapeError(
      `${operation}: x is ${formatShape(x)}; a window of ${kernel} × ${kernel} with padding ${padding} does not fit: ` +
        `use a smaller kernel or larger images`,
    );
  }
  const window = { kernelHeight: kernel, kernelWidth: kernel, stride, padding };
  return { planes: samples * channels, height, width, outHeight, outWidth, ...window };
}

/**
 * All sizes of a pooling of x [N, C, H, W] by one window a plane.
 * @throws ShapeError where x has not four axes.
 */
export function globalPoolGeometry(x: Shape, operation = "globalPool"): PoolGeometry {
  expectRank(operation, "x", x, "N C H W");
  const [samples, channels, height, width] = x;
  const window = { kernelHeight: height, kernelWidth: width, stride: 1, padding: 0 };
  return { planes: samples * channels, height, width, outHeight: 1, outWidth: 1, ...window };
}

/**
 * Whether windows are 2 × 2, side by side, and fill rows of whole vectors of four pixels: what the kernels for pairs of
 * windows take.
 */
export function hasWindowPairs(geometry: PoolGeometry): boolean {
  const { height, width, kernelHeight, kernelWidth, stride, padding } = geometry;
  const squares = kernelHeight === 2 && kernelWidth === 2 && stride === 2 && padding === 0;
  return squares && height % 2 === 0 && width % 4 === 0;
}

function expectWhole(operation: string, option: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new InputError(`${operation}: ${option} is ${value}; expected a whole number from ${least} up`);
  }
}
