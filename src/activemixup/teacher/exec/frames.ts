import type { ImageShape } from "../../../nn/index.js";

/**
 * The frames that a teacher in a child process and this program exchange, all numbers little-endian:
 *
 *     u32 length of the body | u32 kind | body
 *
 * docs/teachers.md describes them for those who write the child.
 */
export const frameKinds = {
  /** From the child, once, first: JSON, see `hello.ts`. */
  hello: 1,
  /** To the child: u32 number, count, channels, height, width; then N C H W pixels of 8 bits. */
  request: 2,
  /** From the child, one a request: u32 number of the request, count, width; then count × width f32, a row an image. */
  answers: 3,
  /** From the child, in place of answers: JSON, see `hello.ts`. */
  error: 4,
} as const;

export interface Frame {
  readonly kind: number;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** What came is no frame, or none that was due. */
export class FrameError extends Error {}

/** Bytes before a frame's body. */
export const HEADER_BYTES = 8;

/** Longest body that is JSON: names of many thousands of classes fit. */
export const MAX_JSON_BYTES = 4 * 2 ** 20;

export function encodeFrame(kind: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length, true);
  view.setUint32(4, kind, true);
  bytes.set(body, HEADER_BYTES);
  return bytes;
}

export interface Request extends ImageShape {
  /** Comes back with the answers: those to another request are never taken for those to this one. */
  readonly number: number;
  readonly count: number;
  /** N C H W, 8 bits. */
  readonly pixels: Uint8Array;
}

const REQUEST_FIELDS = ["number", "count", "channels", "height", "width"] as const;
const REQUEST_HEAD = 4 * REQUEST_FIELDS.length;
const ANSWERS_HEAD = 12;

export function encodeRequest(request: Request): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(REQUEST_HEAD + request.pixels.length);
  const view = new DataView(body.buffer);
  for (const [index, field] of REQUEST_FIELDS.entries()) view.setUint32(4 * index, request[field], true);
  body.set(request.pixels, REQUEST_HEAD);
  return encodeFrame(frameKinds.request, body);
}

/** Bytes of the body of an answers frame. */
export function answersBytes(count: number, width: number): number {
  return ANSWERS_HEAD + 4 * count * width;
}

/**
 * The rows of an answers frame's body.
 * @throws FrameError where they answer another request, or are not as many as its images, or not as long as they say
 */
export function decodeAnswers(
  body: Uint8Array<ArrayBuffer>,
  request: Pick<Request, "number" | "count">,
): Float32Array[] {
  if (body.length < ANSWERS_HEAD) {
    throw new FrameError(`answers of ${body.length} bytes; expected ${ANSWERS_HEAD} and more`);
  }
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const [number, count, width] = [0, 4, 8].map((at) => view.getUint32(at, true));
  if (number !== request.number) throw new FrameError(`answers to request ${number}; expected ${request.number}`);
  if (count !== request.count) throw new FrameError(`${count} answers; expected ${request.count}, one an image`);
  const bytes = answersBytes(count, width);
  if (body.length !== bytes) {
    throw new FrameError(`answers of ${body.length} bytes; expected ${bytes} for ${count} rows of ${width} numbers`);
  }
  return Array.from({ length: count }, (_, row) =>
    Float32Array.from({ length: width }, (_, column) =>
      view.getFloat32(ANSWERS_HEAD + 4 * (row * width + column), true),
    ),
  );
}

/** Puts frames together from a stream that comes in pieces of any size. */
export class FrameReader {
  /** Longest body that is due now: a longer one is refused before memory is taken for it. */
  limit = MAX_JSON_BYTES;
  private readonly header = new Uint8Array(HEADER_BYTES);
  private body: Uint8Array<ArrayBuffer> | undefined;
  /** Bytes of the header and body that have come. */
  private have = 0;

  /**
   * The frames that these bytes complete.
   * @throws FrameError where the bytes are no frame; the stream is then of no more use
   */
  push(bytes: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    const kind = () => new DataView(this.header.buffer).getUint32(4, true);
    let at = 0;
    while (at < bytes.length) {
      const inHeader = this.have < HEADER_BYTES;
      const target = inHeader ? this.header : this.body!;
      const offset = inHeader ? this.have : this.have - HEADER_BYTES;
      const part = bytes.subarray(at, at + target.length - offset);
      target.set(part, offset);
      at += part.length;
      this.have += part.length;
      if (this.have === HEADER_BYTES) this.body = this.allocate(kind());
      if (this.body && this.have === HEADER_BYTES + this.body.length) {
        frames.push({ kind: kind(), body: this.body });
        this.body = undefined;
        this.have = 0;
      }
    }
    return frames;
  }

  /** Whether the stream stands in the middle of a frame. */
  get partial(): boolean {
    return this.have > 0;
  }

  private allocate(kind: number): Uint8Array<ArrayBuffer> {
    const { hello, answers, error } = frameKinds;
    const length = new DataView(this.header.buffer).getUint32(0, true);
    const known = kind === hello || kind === answers || kind === error;
    if (!known || length > this.limit) {
      const text = printable(this.header);
      throw new FrameError(
        `${text} on stdout, which is no frame` +
          (known ? ` of at most ${this.limit} bytes` : "") +
          `; stdout is for frames alone, print to stderr`,
      );
    }
    return new Uint8Array(length);
  }
}

/** Bytes as text where they are some, else in hexadecimal. */
function printable(bytes: Uint8Array): string {
  const text = String.fromCharCode(...bytes);
  if (/^[\x20-\x7e\r\n\t]*$/.test(text)) return JSON.stringify(text);
  return `the bytes ${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ")}`;
}
