/** How the files of an image folder become images of one size: what the user may choose. */

/** Height and width in pixels. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/**
 * How an image of another shape is brought to the size that is asked for: `cover` fills it and cuts off what juts out,
 * evenly on both sides; `contain` shows all of the image, with the background beside it; `stretch` distorts it.
 */
export type Fit = "cover" | "contain" | "stretch";

/** The ways of {@link Fit}, in the order to show them. */
export const fits: readonly Fit[] = ["cover", "contain", "stretch"];

/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

/** The colour that is seen through transparent pixels, unless another is asked for: white. */
export const DEFAULT_BACKGROUND: Rgb = [255, 255, 255];

/** What makes the pixels of an image folder what they are, besides its files. */
export interface ImageOptions {
  /** To which every image is brought; without it all have to have one size. */
  readonly size?: ImageSize | undefined;
  /** {@link Fit}; `cover` unless it is given. */
  readonly fit?: Fit | undefined;
  /** 1 makes colours grey, 3 repeats grey; without it, 1 where every image is grey, else 3. */
  readonly channels?: 1 | 3 | undefined;
  /** Seen through transparent pixels, and beside images that are shown whole; white unless it is given. */
  readonly background?: Rgb | undefined;
  /** Leaves out images that cannot be read, instead of an error that names them. */
  readonly skipBad?: boolean | undefined;
}

/** An image file that was left out, and why. */
export interface UnreadableImage {
  readonly file: string;
  readonly reason: string;
}

/** Whom decoding tells, and what stops it. */
export interface DecodeWatch {
  /** Files that are done, of how many. */
  onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}
