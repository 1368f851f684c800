import { z } from "zod";
import { turnedSize } from "../../src/data/image-header.js";
import { scanPng } from "../../src/data/png-chunks.js";
import { decodePng } from "../../src/data/png.node.js";
import { InputError } from "../../src/errors.js";
import type { ImageShape } from "../../src/nn/index.js";
import { Refusal } from "./refusal.js";

/** Images that a client asks about. */
export interface Asked {
  readonly ids: readonly string[];
  /** N C H W, 8 bits. */
  readonly pixels: Uint8Array;
}

const schema = z.object({
  shape: z.tuple([z.int(), z.int(), z.int()]),
  encoding: z.enum(["raw", "png"]).optional(),
  images: z.array(z.object({ id: z.string().max(256), data: z.string() })).min(1),
});

/**
 * Reads a request of the default protocol (`Question`).
 * @param batch most images in a request
 * @throws Refusal that says what was found and what was expected, whatever the bytes are
 */
export function readQuestion(body: Uint8Array, shape: ImageShape, batch: number): Asked {
  const { shape: given, encoding = "raw", images } = parse(body);
  const { channels, height, width } = shape;
  const size = channels * height * width;
  if (given[0] !== channels || given[1] !== height || given[2] !== width) {
    throw new Refusal(400, `images of ${given.join(" × ")}; expected ${channels} × ${height} × ${width}`);
  }
  if (images.length > batch) throw new Refusal(413, `${images.length} images; expected at most ${batch} in a request`);
  const pixels = new Uint8Array(images.length * size);
  const ids = images.map(({ id }) => id);
  const twice = ids.find((id, at) => ids.indexOf(id) < at);
  if (twice !== undefined)
    throw new Refusal(400, `two images with the id ${JSON.stringify(twice)}; expected each once`);
  for (const [at, { data }] of images.entries()) {
    const bytes = decodeBase64(data, `images[${at}].data`);
    const found = encoding === "png" ? readPng(bytes, shape, `images[${at}].data`) : bytes;
    if (found.length !== size) {
      throw new Refusal(
        400,
        `images[${at}].data holds ${found.length} bytes; expected ${size}, 8 bits a pixel and channel`,
      );
    }
    pixels.set(found, at * size);
  }
  return { ids, pixels };
}

function parse(body: Uint8Array): z.infer<typeof schema> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new Refusal(400, "the body is not JSON; expected { shape, encoding, images }");
  }
  const { success, data, error } = schema.safeParse(json);
  if (success) return data;
  const [{ path, message }] = error.issues;
  const at = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  throw new Refusal(
    400,
    `${at.replace(/^\./, "") || "the body"}: ${message.replace(/^(Invalid (input|option)|Too (big|small)): /, "")}`,
  );
}

function decodeBase64(text: string, what: string): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(text, "base64");
  // Buffer skips what is no base64.
  if (bytes.toString("base64") !== text) throw new Refusal(400, `${what} is no base64; expected RFC 4648 with padding`);
  return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}

function readPng(bytes: Uint8Array<ArrayBuffer>, shape: ImageShape, what: string): Uint8Array {
  try {
    // By the header first: a small file may hold an image of any size.
    const { height, width, grey, orientation } = scanPng(bytes, what);
    const size = turnedSize({ stored: { height, width }, orientation });
    // On white, a grey image stays grey.
    const channels = grey ? 1 : 3;
    if (channels === shape.channels && size.height === shape.height && size.width === shape.width) {
      return decodePng(bytes, what).pixels;
    }
    throw new Refusal(
      400,
      `${what} is an image of ${channels} × ${size.height} × ${size.width}; ` +
        `expected ${shape.channels} × ${shape.height} × ${shape.width}`,
    );
  } catch (error) {
    if (error instanceof InputError) throw new Refusal(400, error.message);
    throw error;
  }
}
