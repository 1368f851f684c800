import type { WarpRanges } from "../kernels/index.js";

/**
 * How far images are warped at random, by name. `light` is a little, `affine` and `elastic` are for writing: digits stay
 * what they are when they lean or their strokes bend (Simard, Steinkraus, Platt, "Best practices for convolutional neural
 * networks applied to visual document analysis", ICDAR 2003).
 */
export const warpPresets = {
  light: { rotation: 4, scale: 0.08, shear: 0.05, shift: 1, elastic: 0 },
  affine: { rotation: 12, scale: 0.12, shear: 0.15, shift: 1.5, elastic: 0 },
  elastic: { rotation: 12, scale: 0.12, shear: 0.15, shift: 1.5, elastic: 1 },
} as const satisfies Readonly<Record<string, Omit<WarpRanges, "share" | "flip" | "brightness">>>;

/** Name of a preset. */
export type WarpPreset = keyof typeof warpPresets;

/**
 * A preset's ranges.
 * @param share of the images that are warped, 0 to 1
 * @param flip whether images are mirrored too, with probability ½
 * @param brightness largest relative change of the warped images' brightness, 0 to 1; 0 where absent
 */
export function warpRanges(preset: WarpPreset, share: number, flip: boolean, brightness?: number): WarpRanges {
  return { ...warpPresets[preset], share, flip, brightness };
}
