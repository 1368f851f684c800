import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { arrange, insideSize, toEightBits, withChannels } from "../../src/data/arrange.js";
import { decodeImage } from "../../src/data/decode-image.node.js";
import { readOrientation } from "../../src/data/exif.js";
import { scanImage } from "../../src/data/image-header.js";
import { decodePng } from "../../src/data/png.node.js";
import { decodeBySharp } from "../../src/data/sharp.node.js";
import { concat, pattern, png, PNG_SIGNATURE, pngChunk, pngOf, words } from "./fixtures.js";

/** TIFF with nothing but an orientation, in either order of bytes. */
function exif(orientation: number, little = false): Uint8Array {
  const bytes = concat(
    new TextEncoder().encode(little ? "II*\0" : "MM\0*"),
    words(8),
    Uint8Array.of(0, 1, 0x01, 0x12, 0, 3),
    words(1),
    Uint8Array.of(0, orientation, 0, 0),
    words(0),
  );
  if (!little) return bytes;
  const view = new DataView(bytes.buffer);
  view.setUint32(4, 8, true);
  for (const [at, value] of [
    [8, 1],
    [10, 0x0112],
    [12, 3],
    [18, orientation],
  ])
    view.setUint16(at, value, true);
  view.setUint32(14, 1, true);
  return bytes;
}

/** A PNG with further chunks behind its header. */
function withChunks(file: Uint8Array, ...chunks: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const at = PNG_SIGNATURE.length + 25;
  return concat(file.subarray(0, at), ...chunks, file.subarray(at));
}

/** Scanlines of 16-bit samples, unfiltered. */
function deepScanlines(height: number, samples: readonly number[]): Uint8Array {
  const row = samples.length / height;
  const lines = Array.from({ length: height }, (_, index) => [
    0,
    ...samples.slice(index * row, (index + 1) * row).flatMap((value) => [value >> 8, value & 255]),
  ]);
  return Uint8Array.from(lines.flat());
}

const nearest = (value: number) => Math.round((value * 255) / 65535);

describe("16 bits", () => {
  const values = [0, 127, 128, 129, 255, 256, 257, 32767, 32768, 65279, 65407, 65535];

  test("become the nearest of 8", () => {
    expect(Array.from(toEightBits(Uint16Array.from(values)))).toEqual(values.map(nearest));
    expect(values.map(nearest)).toEqual([0, 0, 0, 1, 1, 1, 1, 127, 128, 254, 255, 255]);
  });

  test.each([
    ["grey", 0, 1],
    ["colour", 2, 3],
    ["grey and alpha", 4, 2],
    ["colour and alpha", 6, 4],
  ])("%s, by both decoders", async (_, colorType, samples) => {
    const alpha = samples % 2 === 0;
    const channels = alpha ? samples - 1 : samples;
    const pixels = values.flatMap((_, i) => [
      ...Array.from({ length: channels }, (_, channel) => values[(i + channel) % values.length]),
      ...(alpha ? [65535] : []),
    ]);
    const file = png(2, values.length / 2, { depth: 16, colorType, scanlines: deepScanlines(2, pixels) });
    const wanted = Array.from({ length: channels }, (_, channel) =>
      values.map((_, i) => nearest(values[(i + channel) % values.length])),
    ).flat();
    const header = scanImage(file, "a");
    const small = decodePng(file, "a");
    expect(Array.from(small.pixels)).toEqual(wanted);
    const large = await decodeBySharp(file, "a", header);
    expect(arrange(large, header.grey, 1, [255, 255, 255])).toEqual(small);
  });

  test("white stays white when it is resized", async () => {
    const white = png(8, 8, {
      depth: 16,
      colorType: 6,
      scanlines: deepScanlines(8, new Array<number>(256).fill(65535)),
    });
    for (const fit of ["cover", "contain", "stretch"] as const) {
      const { pixels } = await decodeImage(white, "a", { size: { height: 3, width: 5 }, fit });
      expect(new Set(pixels)).toEqual(new Set([255]));
    }
  });
});

test("both decoders of PNG give the same pixels, whatever kind it is", async () => {
  const kinds = fc.constantFrom(
    ...[1, 2, 4, 8, 16].map((depth) => ({ colorType: 0, depth })),
    ...[1, 2, 4, 8].map((depth) => ({ colorType: 3, depth })),
    ...[2, 4, 6].flatMap((colorType) => [8, 16].map((depth) => ({ colorType, depth }))),
  );
  const side = fc.integer({ min: 1, max: 9 });
  const seed = fc.nat({ max: 999 });
  await fc.assert(
    fc.asyncProperty(
      kinds,
      side,
      side,
      seed,
      fc.boolean(),
      fc.boolean(),
      async (kind, height, width, own, grey, clear) => {
        const { colorType, depth } = kind;
        const colors = pattern(3 * 2 ** Math.min(depth, 8), own);
        const palette = Array.from(colors, (_, i) => colors[grey ? i - (i % 3) : i]);
        let file = png(height, width, colorType === 3 ? { ...kind, palette } : kind);
        if (clear && colorType < 4) {
          // Of a palette the first alphas, of others the one colour that is transparent, in 16 bits a sample.
          const alphas = pattern(Math.min(2 ** depth, 100), own + 1);
          const samples = pattern(colorType === 2 ? 6 : 2, own).map((value, i) =>
            depth === 16 ? value : i % 2 === 0 ? 0 : value % 2 ** depth,
          );
          const idat = Buffer.from(file).indexOf("IDAT") - 4;
          const chunk = pngChunk("tRNS", colorType === 3 ? alphas : samples);
          file = concat(file.subarray(0, idat), chunk, file.subarray(idat));
        }
        const header = scanImage(file, "a");
        const bySharp = await decodeBySharp(file, "a", header);
        expect(arrange(bySharp, header.grey, 1, [10, 20, 30])).toEqual(decodePng(file, "a", [10, 20, 30]));
      },
    ),
    { numRuns: 300 },
  );
});

test("a palette with alphas shows the background through them", async () => {
  const file = png(1, 3, {
    colorType: 3,
    palette: [255, 0, 0, 0, 255, 0, 0, 0, 255],
    scanlines: Uint8Array.of(0, 0, 1, 2),
  });
  const idat = Buffer.from(file).indexOf("IDAT") - 4;
  const clear = concat(file.subarray(0, idat), pngChunk("tRNS", Uint8Array.of(0, 51)), file.subarray(idat));
  const image = await decodeImage(clear, "a", { background: [0, 0, 0] });
  expect(Array.from(image.pixels)).toEqual([0, 0, 0, 0, 51, 0, 0, 0, 255]);
  const large = await decodeImage(clear, "a", { background: [0, 0, 0], size: { height: 1, width: 3 } });
  expect(large).toEqual(image);
});

describe("orientation", () => {
  test("is read from either order of bytes, and is upright where it cannot be read", () => {
    for (let orientation = 1; orientation <= 8; orientation++) {
      expect(readOrientation(exif(orientation))).toBe(orientation);
      expect(readOrientation(exif(orientation, true))).toBe(orientation);
    }
    expect(readOrientation(exif(9))).toBe(1);
    // The directory may lie anywhere.
    const moved = concat(exif(6).slice(0, 7), Uint8Array.of(10, 0, 0), exif(6).slice(8));
    expect(readOrientation(moved)).toBe(6);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat({ max: 26 }), (bytes, cut) => {
        expect(readOrientation(bytes)).toBe(1);
        expect(readOrientation(exif(6).subarray(0, cut) as Uint8Array)).toSatisfy((found) => found === 1 || cut >= 20);
      }),
    );
  });

  /** Where a pixel of the turned image is in the stored one, of 2 × 3. */
  const sources: Record<number, number[]> = {
    1: [0, 1, 2, 3, 4, 5],
    2: [2, 1, 0, 5, 4, 3],
    3: [5, 4, 3, 2, 1, 0],
    4: [3, 4, 5, 0, 1, 2],
    5: [0, 3, 1, 4, 2, 5],
    6: [3, 0, 4, 1, 5, 2],
    7: [5, 2, 4, 1, 3, 0],
    8: [2, 5, 1, 4, 0, 3],
  };
  const stored = [10, 50, 90, 130, 170, 210];

  test("behind a chunk of odd length in WebP", async () => {
    const picture = sharp({ create: { width: 2, height: 2, channels: 3, background: "red" } });
    const webp = await picture.withMetadata({ orientation: 6 }).webp().toBuffer();
    const odd = Uint8Array.of(0x4f, 0x44, 0x44, 0x21, 1, 0, 0, 0, 7, 0);
    // Behind the header and the extended form's first chunk.
    const file = concat(webp.subarray(0, 30), odd, webp.subarray(30));
    new DataView(file.buffer).setUint32(4, file.length - 8, true);
    expect(scanImage(file, "a").orientation).toBe(6);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("%s: PNG, JPEG and WebP, as they are and resized", async (orientation) => {
    const wanted = sources[orientation].map((source) => stored[source]);
    const [height, width] = orientation > 4 ? [3, 2] : [2, 3];
    const file = withChunks(pngOf(2, 3, 0, stored), pngChunk("eXIf", exif(orientation)));
    expect(await decodeImage(file, "a")).toEqual({ channels: 1, height, width, pixels: Uint8Array.from(wanted) });
    // Blocks of 16 × 16, so that what is lost in compression blurs no more than their edges.
    const blocks = Uint8Array.from({ length: 32 * 48 }, (_, i) => stored[3 * (i >= 16 * 48 ? 1 : 0) + ((i % 48) >> 4)]);
    const picture = sharp(blocks, { raw: { height: 32, width: 48, channels: 1 } }).withMetadata({ orientation });
    const files = {
      JPEG: await picture.clone().jpeg({ quality: 100 }).toBuffer(),
      PNG: await picture.clone().png().toBuffer(),
      WebP: await picture.clone().webp({ quality: 100, nearLossless: true }).toBuffer(),
    };
    for (const [kind, content] of Object.entries(files)) {
      const bytes = Uint8Array.from(content);
      const header = scanImage(bytes, kind);
      expect(header).toMatchObject({ kind, orientation, stored: { height: 32, width: 48 } });
      for (const size of [undefined, { height: height * 8, width: width * 8 }]) {
        const image = await decodeImage(bytes, kind, { size });
        expect(image).toMatchObject(size ?? { height: height * 16, width: width * 16 });
        const step = image.height / height;
        const middles = wanted.map((_, i) => {
          const [row, column] = [Math.floor(i / width), i % width];
          return image.pixels[(row * step + step / 2) * image.width + column * step + step / 2];
        });
        for (const [i, value] of middles.entries()) expect(Math.abs(value - wanted[i]), `${kind} ${i}`).toBeLessThan(6);
      }
    }
  });
});

describe("fit", () => {
  const side = fc.integer({ min: 1, max: 300 });

  test("contain keeps the shape as well as whole pixels can, fills one direction and stays inside", () => {
    fc.assert(
      fc.property(side, side, side, side, (height, width, frameHeight, frameWidth) => {
        const inside = insideSize({ height, width }, { height: frameHeight, width: frameWidth });
        expect(inside.height).toBeLessThanOrEqual(frameHeight);
        expect(inside.width).toBeLessThanOrEqual(frameWidth);
        expect(Math.min(inside.height, inside.width)).toBeGreaterThanOrEqual(1);
        expect(inside.height === frameHeight || inside.width === frameWidth).toBe(true);
        const scale = Math.min(frameHeight / height, frameWidth / width);
        expect(Math.abs(inside.height - height * scale)).toBeLessThan(1);
        expect(Math.abs(inside.width - width * scale)).toBeLessThan(1);
      }),
    );
  });

  /** A picture whose left third is red, whose middle is green and whose right third is blue, with a grey row on top. */
  function picture(height: number, width: number): Uint8Array<ArrayBuffer> {
    const colors = [
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
    ];
    return pngOf(
      height,
      width,
      2,
      Array.from({ length: height * width }, (_, i) => colors[Math.floor((3 * (i % width)) / width)]).flat(),
    );
  }
  const pixel = (
    { pixels, height, width }: { pixels: Uint8Array; height: number; width: number },
    row: number,
    column: number,
  ) => [0, 1, 2].map((channel) => pixels[channel * height * width + row * width + column]);
  const sized = fc.record({ height: fc.integer({ min: 4, max: 40 }), width: fc.integer({ min: 4, max: 40 }) });

  test("every way gives the size that is asked for; stretch shows all, cover the middle, contain all on the background", async () => {
    await fc.assert(
      fc.asyncProperty(
        sized,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        async (size, tall, wide) => {
          const [height, width] = [6 * tall, 6 * wide];
          const file = picture(height, width);
          const middle = [Math.floor(size.height / 2), Math.floor(size.width / 2)] as const;
          const stretched = await decodeImage(file, "a", { size, fit: "stretch" });
          expect(stretched).toMatchObject({ channels: 3, ...size });
          expect(pixel(stretched, middle[0], 0)[0]).toBeGreaterThan(120);
          expect(pixel(stretched, middle[0], size.width - 1)[2]).toBeGreaterThan(120);
          const covering = await decodeImage(file, "a", { size });
          expect(covering).toMatchObject({ channels: 3, ...size });
          expect(covering).toEqual(await decodeImage(file, "a", { size, fit: "cover" }));
          // Where less than a third of the width is left, only green is.
          if ((height * size.width) / size.height < width / 3.5) {
            expect(pixel(covering, middle[0], 0)[0]).toBeLessThan(60);
            expect(pixel(covering, middle[0], size.width - 1)[2]).toBeLessThan(60);
          }
          const background = [0, 0, 0] as const;
          const contained = await decodeImage(file, "a", { size, fit: "contain", background });
          const inside = insideSize({ height, width }, size);
          expect(contained).toMatchObject({ channels: 3, ...size });
          for (let row = 0; row < size.height; row++) {
            for (let column = 0; column < size.width; column++) {
              const [top, left] = [(size.height - inside.height) >> 1, (size.width - inside.width) >> 1];
              const isInside =
                row >= top && row < top + inside.height && column >= left && column < left + inside.width;
              const sum = pixel(contained, row, column).reduce((total, value) => total + value, 0);
              expect(sum > 100, `${row} ${column}`).toBe(isInside);
            }
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test("cover cuts off as much on either side", async () => {
    // Mirrored pictures have mirrored crops, where what is cut off can be halved.
    const row = [...pattern(24).map((value) => value & 0x7f)];
    const wide = await decodeImage(pngOf(8, 24, 0, Array.from({ length: 8 }, () => row).flat()), "a", {
      size: { height: 8, width: 8 },
    });
    expect(Array.from(wide.pixels.subarray(0, 8))).toEqual(row.slice(8, 16));
    const tall = await decodeImage(
      pngOf(
        24,
        8,
        0,
        row.flatMap((value) => new Array<number>(8).fill(value)),
      ),
      "a",
      { size: { height: 8, width: 8 } },
    );
    expect(Array.from({ length: 8 }, (_, i) => tall.pixels[8 * i])).toEqual(row.slice(8, 16));
  });

  test("extreme shapes come through", async () => {
    for (const [height, width] of [
      [1, 3000],
      [3000, 1],
    ]) {
      for (const fit of ["cover", "contain", "stretch"] as const) {
        const image = await decodeImage(pngOf(height, width, 0, pattern(3000)), "a", {
          size: { height: 8, width: 8 },
          fit,
        });
        expect(image).toMatchObject({ height: 8, width: 8, channels: 1 });
      }
    }
  });
});

test("channels: colours become grey by their luma, grey is repeated", () => {
  const color = {
    channels: 3 as const,
    height: 1,
    width: 4,
    pixels: Uint8Array.of(255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255),
  };
  const grey = withChannels(color, 1);
  expect(grey).toEqual({ channels: 1, height: 1, width: 4, pixels: Uint8Array.of(76, 150, 29, 255) });
  expect(withChannels(grey, 3).pixels).toEqual(Uint8Array.of(...grey.pixels, ...grey.pixels, ...grey.pixels));
  expect(withChannels(grey, 1)).toBe(grey);
});
