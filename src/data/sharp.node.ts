/** Decodes image files of every kind that is read, in Node, by `sharp` (libvips), which the user installs. */
import { InputError } from "../errors.js";
import { insideSize, toEightBits, type Interleaved } from "./arrange.js";
import type { ImageHeader } from "./image-header.js";
import type { Fit, ImageSize } from "./image-options.js";

type Sharp = (typeof import("sharp"))["default"];

/** `sharp` is needed and cannot be loaded: no fault of a file. */
export class MissingSharpError extends InputError {}

let loading: Promise<Sharp> | undefined;

/** `sharp` itself, loaded when it is asked for first. */
function load(): Promise<Sharp> {
  loading ??= import("sharp").then((module) => module.default);
  return loading;
}

/** Whether `sharp` can be loaded. */
export async function hasSharp(): Promise<boolean> {
  return load().then(
    () => true,
    () => false,
  );
}

/** The releases of `sharp` and of its decoders, on which pixels may depend; undefined where it cannot be loaded. */
export async function sharpVersions(): Promise<object | undefined> {
  return (await hasSharp()) ? (await load()).versions : undefined;
}

/** @param use what needs it: `JPEG images` */
async function require(name: string, use: string): Promise<Sharp> {
  try {
    return await load();
  } catch (error) {
    const [reason] = (error as Error).message.trim().split(/\s*[\r\n]/);
    throw new MissingSharpError(
      `${name}: ${use} need the package sharp, which cannot be loaded (${reason}); npm install sharp`,
    );
  }
}

/** What libvips says about a damaged file, without its own name and in one line. */
function describe(error: unknown): string {
  const [line] = (error as Error).message.trim().split(/\s*[\r\n]/);
  return line.replace(/^Input buffer has corrupt header: /, "").replace(/^(Vips\w+|\w+load_buffer): /, "");
}

/**
 * Decodes one image file, of an animation the first picture, to 8 bits a sample, as stored: not turned. An embedded
 * colour profile is not applied. The same bytes give the same pixels every time.
 * @param scale how, and to what size of the stored image; its own size unless it is given. With `contain` the size of
 *   the picture alone, within that size.
 * @throws InputError if the file is damaged or cut short; MissingSharpError where `sharp` cannot be loaded
 */
export async function decodeBySharp(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
  { kind, stored, grey, deep }: ImageHeader,
  scale?: { readonly size: ImageSize; readonly fit: Fit },
): Promise<Interleaved> {
  const sharp = await require(name, scale && kind === "PNG" ? "images that are resized" : `${kind} images`);
  try {
    const image = sharp(bytes, {
      // The least doubt about a file is a fault: what is lost would be filled in with grey.
      failOn: "warning",
      ignoreIcc: true,
      limitInputPixels: stored.height * stored.width,
    });
    if (scale) {
      const { height, width } = scale.fit === "contain" ? insideSize(stored, scale.size) : scale.size;
      image.resize({ height, width, fit: scale.fit === "cover" ? "cover" : "fill" });
    }
    const space = grey && kind === "JPEG" ? "b-w" : deep ? "rgb16" : "srgb";
    const { data, info } = await image
      .toColourspace(space)
      .raw({ depth: deep ? "ushort" : "uchar" })
      .toBuffer({ resolveWithObject: true });
    const samples = info.channels;
    const { height, width } = info;
    // A copy, so that 16-bit samples lie where they may be read as such.
    const eight = deep ? toEightBits(new Uint16Array(Uint8Array.from(data).buffer)) : data;
    if (eight.length !== height * width * samples) throw new Error(`${eight.length} samples`);
    return { height, width, samples, data: eight };
  } catch (error) {
    throw new InputError(`${name}: not a whole ${kind} (${describe(error)}); the file is damaged, get it again`);
  }
}
