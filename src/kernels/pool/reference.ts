import type { PoolGeometry } from "./contract.js";

/** The part of an output pixel's window that lies in the image: rows `top` to `bottom` − 1, columns likewise. */
interface Window {
  /** Place of the output pixel. */
  readonly output: number;
  /** Place of its plane's first input pixel. */
  readonly plane: number;
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** Calls `visit` for each output pixel, plane by plane and row by row; the object that it gets is used again. */
function eachWindow(geometry: PoolGeometry, visit: (window: Window) => void): void {
  const { planes, height, width, outHeight, outWidth, kernelHeight, kernelWidth, stride, padding } = geometry;
  const window = { output: 0, plane: 0, top: 0, bottom: 0, left: 0, right: 0 };
  for (let plane = 0; plane < planes; plane++) {
    window.plane = plane * height * width;
    for (let row = 0; row < outHeight; row++) {
      const top = row * stride - padding;
      window.top = Math.max(top, 0);
      window.bottom = Math.min(top + kernelHeight, height);
      for (let column = 0; column < outWidth; column++) {
        const left = column * stride - padding;
        window.left = Math.max(left, 0);
        window.right = Math.min(left + kernelWidth, width);
        visit(window);
        window.output++;
      }
    }
  }
}

/** Place of a window's first maximum, row by row; a NaN counts as larger than any number. */
function firstMaximum(x: Float32Array, width: number, { plane, top, bottom, left, right }: Window): number {
  let best = plane + top * width + left;
  for (let row = top; row < bottom; row++) {
    const start = plane + row * width;
    for (let index = start + left; index < start + right; index++) {
      if (x[index] > x[best] || (Number.isNaN(x[index]) && !Number.isNaN(x[best]))) best = index;
    }
  }
  return best;
}

/** Defines maxPool2d: each window's maximum, NaN where it holds a NaN; padding never counts. Then relu where asked. */
export function maxPool2dReference(x: Float32Array, out: Float32Array, geometry: PoolGeometry, relu: boolean): void {
  eachWindow(geometry, (window) => {
    const maximum = x[firstMaximum(x, geometry.width, window)];
    out[window.output] = relu && maximum <= 0 ? 0 : maximum;
  });
}

/**
 * Defines maxPool2d's gradient: each window's goes to its first maximum, row by row; with relu only where that is above
 * 0.
 */
export function maxPool2dBackwardReference(
  x: Float32Array,
  dOut: Float32Array,
  dX: Float32Array,
  geometry: PoolGeometry,
  relu: boolean,
): void {
  const sums = new Float64Array(dX.length);
  eachWindow(geometry, (window) => {
    const first = firstMaximum(x, geometry.width, window);
    if (!relu || x[first] > 0) sums[first] += dOut[window.output];
  });
  dX.set(sums);
}

/** Defines avgPool2d: each window's sum divided by kernelHeight · kernelWidth; padding counts as zeros. */
export function avgPool2dReference(x: Float32Array, out: Float32Array, geometry: PoolGeometry): void {
  const { width, kernelHeight, kernelWidth } = geometry;
  eachWindow(geometry, ({ output, plane, top, bottom, left, right }) => {
    let total = 0;
    for (let row = top; row < bottom; row++) {
      const start = plane + row * width;
      for (let index = start + left; index < start + right; index++) total += x[index];
    }
    out[output] = total / (kernelHeight * kernelWidth);
  });
}

/** Defines avgPool2d's gradient: each window's is shared out evenly among kernelHeight · kernelWidth pixels. */
export function avgPool2dBackwardReference(dOut: Float32Array, dX: Float32Array, geometry: PoolGeometry): void {
  const { width, kernelHeight, kernelWidth } = geometry;
  const sums = new Float64Array(dX.length);
  eachWindow(geometry, ({ output, plane, top, bottom, left, right }) => {
    const share = dOut[output] / (kernelHeight * kernelWidth);
    for (let row = top; row < bottom; row++) {
      const start = plane + row * width;
      for (let index = start + left; index < start + right; index++) sums[index] += share;
    }
  });
  dX.set(sums);
}
