/**
 * The most bytes that one file or one image set may hold: 2^31 − 1. Node reads no larger file at once, and a header
 * that claims more is refused before anything is allocated for it.
 */
export const MAX_BYTES = 2 ** 31 - 1;

/** The longest side of an image, in pixels. Larger claims are taken for damage. */
export const MAX_SIDE = 65_535;

/** The most pixels of one image file: 2^28, beyond any camera. A few hundred bytes of PNG or WebP can claim more. */
export const MAX_PIXELS = 2 ** 28;
