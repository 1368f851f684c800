import type { Extent } from "../gemm/split.js";
import type { Conv2dSizes } from "./contract.js";

/**
 * What the forward kernels compute, `Params` of correlation.wgsl: a correlation that walks over its image in steps and
 * may see the image dilated. The gradient of conv2d's input is one too.
 */
export interface Correlation {
  readonly n: number;
  /** Channels and size of the image that is read. */
  readonly c: number;
  readonly h: number;
  readonly w: number;
  /** Channels and size of the result. */
  readonly o: number;
  readonly oh: number;
  readonly ow: number;
  readonly kh: number;
  readonly kw: number;
  /** Pixels of the dilated image from one output to the next. */
  readonly step: number;
  /** Pixels of the dilated image from one pixel of the image to the next. */
  readonly dilation: number;
  /** Pixels of padding above and left of the image; below zero, pixels left out. */
  readonly paddingY: number;
  readonly paddingX: number;
  /** Address of a weight: first + o·weightO + c·weightC + (ky·kw + kx)·weightTap. */
  readonly weightFirst: number;
  readonly weightO: number;
  readonly weightC: number;
  readonly weightTap: number;
  readonly hasBias: boolean;
  readonly relu: boolean;
}

/** The forward pass. */
export function forwardCorrelation(sizes: Conv2dSizes, flags: { hasBias: boolean; relu: boolean }): Correlation {
  const { n, c, h, w, o, kh, kw, oh, ow, stride, padding } = sizes;
  const taps = kh * kw;
  return {
    ...{ n, c, h, w, o, oh, ow, kh, kw, step: stride, dilation: 1, paddingY: padding, paddingX: padding },
    ...{ weightFirst: 0, weightO: c * taps, weightC: taps, weightTap: 1, ...flags },
  };
}

/**
 * The gradient of the input: the gradient of the output, dilated by the stride, is correlated with the weights turned
 * by 180° and with their channels swapped.
 */
export function inputGradientCorrelation(sizes: Conv2dSizes): Correlation {
  const { n, c, h, w, o, kh, kw, oh, ow, stride, padding } = sizes;
  const taps = kh * kw;
  return {
    ...{ n, c: o, h: oh, w: ow, o: c, oh: h, ow: w, kh, kw, step: 1, dilation: stride },
    ...{ paddingY: kh - 1 - padding, paddingX: kw - 1 - padding },
    ...{ weightFirst: taps - 1, weightO: taps, weightC: c * taps, weightTap: -1, hasBias: false, relu: false },
  };
}

/** The correlation as a product of matrices: output channels × output pixels, summed over taps. */
export function correlationExtent({ n, c, o, oh, ow, kh, kw }: Correlation): Extent {
  return { rows: o, columns: n * oh * ow, depth: c * kh * kw };
}

/** Members of `Params` in correlation.wgsl. */
export function correlationParams(problem: Correlation, partDepth: number): number[] {
  const { n, c, h, w, o, oh, ow, kh, kw, step, dilation, paddingY, paddingX } = problem;
  const { weightFirst, weightO, weightC, weightTap, hasBias, relu } = problem;
  const sizes = [n, c, h, w, o, oh, ow, kh, kw, step, dilation, paddingY, paddingX];
  return [...sizes, weightFirst, weightO, weightC, weightTap, Number(hasBias), Number(relu), partDepth];
}
