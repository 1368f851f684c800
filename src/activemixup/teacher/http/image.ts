import type { ImageShape } from "../../../nn/index.js";
import type { HttpSettings } from "../settings.js";
import { encodeBase64 } from "../../base64.js";

type Bytes = Uint8Array<ArrayBuffer>;
type Encode<T> = (shape: ImageShape, pixels: Uint8Array) => T;

/** Writes an image (C H W, 8 bits) as bytes of their own: a PNG file, or its pixels in the order of `layout`. */
export async function byteWriter({ image = "raw", layout }: HttpSettings): Promise<Encode<Bytes>> {
  if (image === "raw") return (shape, pixels) => Uint8Array.from(ordered(shape, pixels, layout));
  const { encodePng } = await import("./png.node.js");
  return encodePng;
}

/** Writes an image (C H W, 8 bits) as a value of JSON. */
export async function jsonWriter(settings: HttpSettings): Promise<Encode<unknown>> {
  const { image = "raw", layout, range = "0-255" } = settings;
  if (image === "numbers") {
    return (shape, pixels) => {
      const values = Array.from(ordered(shape, pixels, layout), (value) => (range === "0-1" ? value / 255 : value));
      const { channels, height, width } = shape;
      return layout === "NHWC" ? nest(nest(values, channels), width) : nest(nest(values, width), height);
    };
  }
  const write = await byteWriter(settings);
  const prefix = image === "data-url" ? "data:image/png;base64," : "";
  return (shape, pixels) => prefix + encodeBase64(write(shape, pixels));
}

/** Pixels in the order of `layout`. */
function ordered(
  { channels, height, width }: ImageShape,
  pixels: Uint8Array,
  layout: HttpSettings["layout"],
): Uint8Array {
  if (layout !== "NHWC" || channels === 1) return pixels;
  const area = height * width;
  return Uint8Array.from(pixels, (_, at) => pixels[(at % channels) * area + Math.floor(at / channels)]);
}

/** Consecutive parts of `length`. */
function nest<T>(values: readonly T[], length: number): T[][] {
  return Array.from({ length: values.length / length }, (_, at) => values.slice(at * length, (at + 1) * length));
}
