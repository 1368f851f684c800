/** One image as the decoders of image files give it. */
export interface DecodedImage {
  /** 1 where the file is grey, else 3. */
  channels: 1 | 3;
  height: number;
  width: number;
  /** C H W. */
  pixels: Uint8Array<ArrayBuffer>;
}

/** Throws for an image that is not wanted; called with what the header says, before anything is allocated for pixels. */
export type CheckSize = (height: number, width: number) => void;
