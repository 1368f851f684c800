import type { Conv2dSizes } from "./contract.js";

/**
 * The outputs along one axis whose tap `k` falls on a pixel of the image, not on the padding:
 * 0 ≤ output · stride + k − padding < length.
 */
function outputsInside(
  k: number,
  length: number,
  outputs: number,
  { stride, padding }: Conv2dSizes,
): [first: number, end: number] {
  const first = Math.max(0, Math.ceil((padding - k) / stride));
  const end = Math.min(outputs, Math.floor((length - 1 + padding - k) / stride) + 1);
  return [first, end];
}

/**
 * Defines conv2d: out[n, o, y, x] = Σ_{c, ky, kx} weight[o, c, ky, kx] · in[n, c, y·stride + ky − padding,
 * x·stride + kx − padding] + bias[o], summed in f64. Padding has no terms in the sum.
 */
export function conv2dReference(
  x: Float32Array,
  weight: Float32Array,
  bias: Float32Array | undefined,
  out: Float32Array,
  sizes: Conv2dSizes,
  relu: boolean,
): void {
  const { n, c, h, w, o, kh, kw, oh, ow, stride, padding } = sizes;
  const plane = new Float64Array(oh * ow);
  for (let image = 0; image < n; image++) {
    for (let filter = 0; filter < o; filter++) {
      plane.fill(bias ? bias[filter] : 0);
      for (let channel = 0; channel < c; channel++) {
        for (let ky = 0; ky < kh; ky++) {
          const [firstY, endY] = outputsInside(ky, h, oh, sizes);
          for (let kx = 0; kx < kw; kx++) {
            const [firstX, endX] = outputsInside(kx, w, ow, sizes);
            const value = weight[((filter * c + channel) * kh + ky) * kw + kx];
            for (let y = firstY; y < endY; y++) {
              const row = ((image * c + channel) * h + y * stride + ky - padding) * w;
              let from = row + firstX * stride + kx - padding;
              for (let to = y * ow + firstX, end = y * ow + endX; to < end; to++, from += stride) {
                plane[to] += value * x[from];
              }
            }
          }
        }
      }
      const start = (image * o + filter) * oh * ow;
      for (let index = 0; index < plane.length; index++) {
        out[start + index] = relu && plane[index] <= 0 ? 0 : plane[index];
      }
    }
  }
}

/** Defines the gradient of `conv2dReference`'s x: dX [N, C, H, W] from dOut [N, O, OH, OW], summed in f64. */
export function conv2dInputGradientReference(
  dOut: Float32Array,
  weight: Float32Array,
  dX: Float32Array,
  sizes: Conv2dSizes,
): void {
  const { n, c, h, w, o, kh, kw, oh, ow, stride, padding } = sizes;
  const plane = new Float64Array(h * w);
  for (let image = 0; image < n; image++) {
    for (let channel = 0; channel < c; channel++) {
      plane.fill(0);
      for (let filter = 0; filter < o; filter++) {
        for (let ky = 0; ky < kh; ky++) {
          const [firstY, endY] = outputsInside(ky, h, oh, sizes);
          for (let kx = 0; kx < kw; kx++) {
            const [firstX, endX] = outputsInside(kx, w, ow, sizes);
            const value = weight[((filter * c + channel) * kh + ky) * kw + kx];
            for (let y = firstY; y < endY; y++) {
              const row = ((image * o + filter) * oh + y) * ow;
              let to = (y * stride + ky - padding) * w + firstX * stride + kx - padding;
              for (let from = row + firstX, end = row + endX; from < end; from++, to += stride) {
                plane[to] += value * dOut[from];
              }
            }
          }
        }
      }
      dX.set(plane, (image * c + channel) * h * w);
    }
  }
}

/** Defines the gradient of `conv2dReference`'s weights: dWeight [O, C, KH, KW], summed in f64. */
export function conv2dWeightGradientReference(
  x: Float32Array,
  dOut: Float32Array,
  dWeight: Float32Array,
  sizes: Conv2dSizes,
): void {
  const total = new Float64Array(dWeight.length);
  for (let image = 0; image < sizes.n; image++) addWeightGradient(image, x, dOut, total, sizes);
  dWeight.set(total);
}

/** Adds one image's share of the weights' gradient. */
function addWeightGradient(
  image: number,
  x: Float32Array,
  dOut: Float32Array,
  total: Float64Array,
  sizes: Conv2dSizes,
): void {
  const { c, h, w, o, kh, kw, oh, ow, stride, padding } = sizes;
  for (let filter = 0; filter < o; filter++) {
    for (let channel = 0; channel < c; channel++) {
      for (let ky = 0; ky < kh; ky++) {
        const [firstY, endY] = outputsInside(ky, h, oh, sizes);
        for (let kx = 0; kx < kw; kx++) {
          const [firstX, endX] = outputsInside(kx, w, ow, sizes);
          let sum = 0;
          for (let y = firstY; y < endY; y++) {
            const row = ((image * o + filter) * oh + y) * ow;
            let from = ((image * c + channel) * h + y * stride + ky - padding) * w + firstX * stride + kx - padding;
            for (let index = row + firstX, end = row + endX; index < end; index++, from += stride) {
              sum += dOut[index] * x[from];
            }
          }
          total[((filter * c + channel) * kh + ky) * kw + kx] += sum;
        }
      }
    }
  }
}
