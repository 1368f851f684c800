/** Writes small image files for the tests, right and wrong ones. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { afterAll, expect } from "vitest";
import { InputError } from "../../src/errors.js";

export type Bytes = Uint8Array<ArrayBuffer>;

export function concat(...parts: Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Numbers as big-endian 32-bit words. */
export function words(...values: number[]): Bytes {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setUint32(4 * index, value);
  return bytes;
}

/** `length` bytes that differ from place to place. */
export function pattern(length: number, seed = 0): Bytes {
  return Uint8Array.from({ length }, (_, i) => (seed * 31 + i * 7 + (i >> 4)) & 255);
}

export function idxImages(count: number, height: number, width: number, seed = 0): Bytes {
  return concat(words(0x803, count, height, width), pattern(count * height * width, seed));
}

export function idxLabels(labels: ArrayLike<number>): Bytes {
  return concat(words(0x801, labels.length), Uint8Array.from(labels));
}

/** CIFAR records: the label bytes of each, then 3072 pixels. */
export function cifarRecords(labels: number[][], seed = 0): Bytes {
  return concat(...labels.flatMap((own, index) => [Uint8Array.from(own), pattern(3072, seed + index)]));
}

export interface PngOptions {
  depth?: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  colorType?: number;
  interlace?: number;
  palette?: number[];
  /** Scanlines with their filter bytes; by default a pattern, unfiltered. */
  scanlines?: Uint8Array;
  /** Replaces the compressed scanlines. */
  idat?: Uint8Array;
}

export function pngChunk(type: string, data: Uint8Array): Bytes {
  const body = concat(new TextEncoder().encode(type), data);
  return concat(words(data.length), body, words(crc32(body)));
}

export const PNG_SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** A PNG file; its default scanlines fit an image that is not interlaced. */
export function png(height: number, width: number, options: PngOptions = {}): Bytes {
  const { depth = 8, colorType = 0, interlace = 0, palette } = options;
  const samples = [1, 0, 3, 1, 2, 0, 4][colorType];
  const rowBytes = 1 + Math.ceil((width * samples * depth) / 8);
  const scanlines = options.scanlines ?? pattern(rowBytes * height).map((value, i) => (i % rowBytes === 0 ? 0 : value));
  return concat(
    PNG_SIGNATURE,
    pngChunk("IHDR", concat(words(width, height), Uint8Array.of(depth, colorType, 0, 0, interlace))),
    ...(palette ? [pngChunk("PLTE", Uint8Array.from(palette))] : []),
    pngChunk("IDAT", options.idat ?? deflateSync(scanlines)),
    pngChunk("IEND", new Uint8Array()),
  );
}

/** A PNG of 8-bit samples as they stand: `pixels` is H W with the samples of a pixel together. */
export function pngOf(height: number, width: number, colorType: number, pixels: ArrayLike<number>): Bytes {
  const rowBytes = pixels.length / height;
  const scanlines = new Uint8Array(height * (rowBytes + 1));
  for (let row = 0; row < height; row++) {
    scanlines.set(Array.from(pixels).slice(row * rowBytes, (row + 1) * rowBytes), row * (rowBytes + 1) + 1);
  }
  return png(height, width, { colorType, scanlines });
}

/** A temporary folder, removed after the file's tests, and a function that writes a file below it. */
export function temporaryFolder() {
  const root = mkdtempSync(join(tmpdir(), "activemixup-"));
  afterAll(() => {
    rmSync(root, { recursive: true });
  });
  return {
    root,
    write(path: string, content: Uint8Array | string): string {
      const whole = join(root, path);
      mkdirSync(dirname(whole), { recursive: true });
      writeFileSync(whole, content);
      return whole;
    },
    folder(path: string): string {
      mkdirSync(join(root, path), { recursive: true });
      return join(root, path);
    },
  };
}

function checkInputError(error: unknown): string {
  expect(error).toBeInstanceOf(InputError);
  const { message } = error as InputError;
  expect(message).not.toMatch(/[\n\r]/);
  return message;
}

/** The message of the InputError that `call` must throw: one line. */
export function inputError(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return checkInputError(error);
  }
  throw new Error("expected an InputError, but nothing was thrown");
}

/** The message of the InputError that `promise` must reject with: one line. */
export async function inputRejection(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return checkInputError(error);
  }
  throw new Error("expected an InputError, but nothing was thrown");
}

/** The value of `call`, or undefined where it throws an InputError; any other error goes through. */
export function valueOrInputError<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    checkInputError(error);
    return undefined;
  }
}
