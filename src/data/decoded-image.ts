/** One image as the decoders of image files give it. */
export interface DecodedImage {
  /** 1 where the file is grey, else 3. */
  channels: 1 | 3;
  height: number;
  width: number;
  /** C H W. */
  pixels: Uint8Array<ArrayBuffer>;
}
