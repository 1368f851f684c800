import type { ImageShape } from "../../nn/index.js";

/**
 * The identity of a query: SHA-256 of the teacher's name, the image's shape and its exact pixels, in hexadecimal. The
 * same image is never asked twice of the same teacher.
 * @param pixels of one image, C H W, 8 bits
 */
export async function queryIdentity(teacher: string, shape: ImageShape, pixels: Uint8Array): Promise<string> {
  const { channels, height, width } = shape;
  const head = new TextEncoder().encode(JSON.stringify([teacher, channels, height, width]));
  const all = new Uint8Array(head.length + pixels.length);
  all.set(head);
  all.set(pixels, head.length);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", all));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
