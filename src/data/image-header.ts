/** What the header of an image file says, whatever its kind, before anything is allocated for the pixels. */
import { InputError } from "../errors.js";
import type { ImageSize } from "./image-options.js";
import { scanJpeg } from "./jpeg-header.js";
import { scanPng } from "./png-chunks.js";
import { isWebp, scanWebp } from "./webp-header.js";

export interface ImageHeader {
  kind: "PNG" | "JPEG" | "WebP";
  /** As stored: `orientation` may ask for a turned image. */
  stored: ImageSize;
  /** EXIF's, 1 to 8. */
  orientation: number;
  /** Whether the file's format says that it has no colours; WebP cannot say that. */
  grey: boolean;
  /** Whether it has 16 bits a sample, not 8 or fewer. */
  deep: boolean;
}

/** Kinds that are read, as messages name them. */
export const KINDS = "PNG, JPEG or WebP";

/** Whether a file's name says that it is an image of a kind that is read. */
export const isImage = (name: string) => /\.(png|jpe?g|jpe|jfif|webp)$/i.test(name);

/** An image's size once it is turned as its orientation says. */
export function turnedSize({ stored, orientation }: Pick<ImageHeader, "stored" | "orientation">): ImageSize {
  return orientation > 4 ? { height: stored.width, width: stored.height } : stored;
}

/**
 * Reads an image file's header. The kind is told by the content: photographs from the web often have the wrong name.
 * @throws InputError if it is of no kind that is read, is cut short, or claims a size beyond reason
 */
export function scanImage(bytes: Uint8Array, name: string): ImageHeader {
  if (bytes.length === 0) throw new InputError(`${name}: the file is empty; get it again, or remove it`);
  const isPng = bytes[0] === 0x89 && bytes[1] === 0x50;
  const isJpeg = bytes[0] === 0xff && bytes[1] === 0xd8;
  if (isWebp(bytes) || (!isPng && !isJpeg && /\.webp$/i.test(name))) {
    const { height, width, orientation } = scanWebp(bytes, name);
    return { kind: "WebP", stored: { height, width }, orientation, grey: false, deep: false };
  }
  if (isPng || (!isJpeg && /\.png$/i.test(name))) {
    const { height, width, orientation, grey, deep } = scanPng(bytes, name);
    return { kind: "PNG", stored: { height, width }, orientation, grey, deep };
  }
  const { height, width, orientation, components } = scanJpeg(bytes, name);
  return { kind: "JPEG", stored: { height, width }, orientation, grey: components === 1, deep: false };
}
