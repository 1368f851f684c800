import { ShapeError } from "../errors.js";

/** Sizes of a tensor's axes, outermost first. Images are N C H W. A scalar is `[1]`. */
export type Shape = readonly number[];

/**
 * Number of elements of `shape`.
 * @throws ShapeError where a size is not a whole number of at least 1, or the product is not a safe integer.
 */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const [axis, length] of shape.entries()) {
    if (!Number.isInteger(length) || length < 1) {
      throw new ShapeError(`shape ${formatShape(shape)}: axis ${axis} is ${length}; expected a whole number from 1 up`);
    }
    size *= length;
  }
  if (!Number.isSafeInteger(size)) throw new ShapeError(`shape ${formatShape(shape)}: too many elements`);
  return size;
}

/** `[64, 1, 28, 28]` as people write it. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Whether the two shapes have the same axes of the same sizes. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/**
 * Requires `actual` to be `expected`.
 * @throws ShapeError that names `what`, both shapes, and the operation.
 */
export function expectShape(operation: string, what: string, actual: Shape, expected: Shape): void {
  if (!sameShape(actual, expected)) {
    throw new ShapeError(`${operation}: ${what} is ${formatShape(actual)}; expected ${formatShape(expected)}`);
  }
}

/**
 * Requires `actual` to have `rank` axes.
 * @throws ShapeError that names `what`, its shape, and the axes expected, for example `N C H W`.
 */
export function expectRank(operation: string, what: string, actual: Shape, axes: string): void {
  const rank = axes.split(" ").length;
  if (actual.length !== rank) {
    throw new ShapeError(`${operation}: ${what} is ${formatShape(actual)}; expected ${rank} axes (${axes})`);
  }
}
