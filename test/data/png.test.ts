import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scanPng } from "../../src/data/png-chunks.js";
import { decodePng } from "../../src/data/png.node.js";
import {
  concat,
  inputError,
  pattern,
  png,
  PNG_SIGNATURE,
  pngChunk,
  pngOf,
  valueOrInputError,
  words,
} from "./fixtures.js";

describe("right files", () => {
  test("grey and RGB come back as they were written, planes apart", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), (height, width) => {
        const area = height * width;
        const grey = pattern(area);
        expect(decodePng(pngOf(height, width, 0, grey), "a")).toEqual({ channels: 1, height, width, pixels: grey });
        const rgb = pattern(3 * area);
        const image = decodePng(pngOf(height, width, 2, rgb), "a");
        expect(image.channels).toBe(3);
        expect(image.pixels).toEqual(Uint8Array.from(rgb, (_, i) => rgb[3 * (i % area) + Math.floor(i / area)]));
      }),
    );
  });

  test("transparent pixels show the background, white unless another is given", () => {
    const grey = pngOf(1, 3, 4, [10, 0, 20, 255, 100, 51]);
    expect(decodePng(grey, "a")).toMatchObject({ channels: 1, pixels: Uint8Array.of(255, 20, 224) });
    expect(decodePng(grey, "a", [0, 0, 0])).toMatchObject({ channels: 1, pixels: Uint8Array.of(0, 20, 20) });
    const color = pngOf(1, 2, 6, [1, 2, 3, 0, 4, 5, 6, 102]);
    expect(decodePng(color, "a", [9, 19, 29]).pixels).toEqual(Uint8Array.of(9, 7, 19, 13, 29, 20));
  });

  test("a background with a colour makes grey files colourful where it is seen, and only there", () => {
    const background = [255, 0, 0] as const;
    const seen = decodePng(pngOf(1, 2, 4, [10, 0, 20, 255]), "a", background);
    expect(seen).toMatchObject({ channels: 3, pixels: Uint8Array.of(255, 20, 0, 20, 0, 20) });
    expect(decodePng(pngOf(1, 2, 4, [10, 255, 20, 255]), "a", background)).toMatchObject({ channels: 1 });
    expect(decodePng(pngOf(1, 1, 0, [7]), "a", background)).toMatchObject({ channels: 1 });
  });

  test("fewer and more than 8 bits become 8", () => {
    const scanlines = (...bytes: number[]) => Uint8Array.from(bytes);
    expect(decodePng(png(1, 8, { depth: 1, scanlines: scanlines(0, 0b10010000) }), "a").pixels).toEqual(
      Uint8Array.of(255, 0, 0, 255, 0, 0, 0, 0),
    );
    expect(decodePng(png(1, 2, { depth: 16, scanlines: scanlines(0, 0xff, 0xff, 0x80, 0x80) }), "a").pixels).toEqual(
      Uint8Array.of(255, 128),
    );
  });

  test("a palette is grey if all of its colours are", () => {
    const scanlines = Uint8Array.of(0, 1, 0);
    const grey = png(1, 2, { colorType: 3, palette: [5, 5, 5, 200, 200, 200], scanlines });
    expect(decodePng(grey, "a")).toMatchObject({ channels: 1, pixels: Uint8Array.of(200, 5) });
    const color = png(1, 2, { colorType: 3, palette: [5, 5, 5, 200, 100, 0], scanlines });
    expect(decodePng(color, "a")).toMatchObject({ channels: 3, pixels: Uint8Array.of(200, 5, 100, 5, 0, 5) });
  });

  test("interlaced images are read", () => {
    // 2×2 in Adam7: the first pass has the corner, the sixth the pixel right of it, the seventh the row below.
    const scanlines = Uint8Array.of(0, 1, 0, 2, 0, 3, 4);
    expect(decodePng(png(2, 2, { interlace: 1, scanlines }), "a").pixels).toEqual(Uint8Array.of(1, 2, 3, 4));
    expect(scanPng(png(33, 17, { interlace: 1 }), "a").scanlineBytes).toBeGreaterThan(33 * 17);
  });
});

describe("wrong files", () => {
  test("any damage gives an InputError or an image of the size that its header says", () => {
    const files = [
      pngOf(5, 4, 2, pattern(60)),
      pngOf(6, 3, 0, pattern(18)),
      png(2, 2, { interlace: 1, scanlines: Uint8Array.of(0, 1, 0, 2, 0, 3, 4) }),
      png(1, 2, { colorType: 3, palette: [5, 5, 5], scanlines: Uint8Array.of(0, 0, 0) }),
    ];
    const edits = fc.array(fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 255 })), { maxLength: 2 });
    fc.assert(
      fc.property(fc.constantFrom(...files), edits, fc.option(fc.nat({ max: 150 })), (file, changes, cut) => {
        const bytes = file.slice(0, cut ?? file.length);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        const image = valueOrInputError(() => decodePng(bytes, "a"));
        if (image) expect(image.pixels.length).toBe(image.channels * image.height * image.width);
      }),
      { numRuns: 2000 },
    );
  });

  test("a changed pixel byte is found by its checksum", () => {
    const file = pngOf(2, 2, 0, [1, 2, 3, 4]);
    file[8 + 25 + 8 + 5] ^= 1;
    expect(inputError(() => decodePng(file, "x.png"))).toMatch(/^x\.png: .*the file is damaged, get it again$/);
  });

  test.each([
    [
      "JPEG",
      Uint8Array.of(0xff, 0xd8, 0xff, 0xe0),
      "its name says PNG, but its content is JPEG; rename it to .jpg or remove it",
    ],
    ["nothing", new Uint8Array(), "its name says PNG, but its content is not; convert it to PNG or remove it"],
    [
      "the signature alone",
      PNG_SIGNATURE,
      "the PNG ends after 8 bytes without its IEND chunk; the file is cut short, get it again",
    ],
    [
      "no end",
      png(2, 2).slice(0, -12),
      `the PNG ends after ${png(2, 2).length - 12} bytes without its IEND chunk; the file is cut short, get it again`,
    ],
    [
      "half a chunk",
      png(2, 2).slice(0, 50),
      "the PNG ends after 50 bytes without its whole IDAT chunk; the file is cut short, get it again",
    ],
    [
      "no pixels",
      concat(png(2, 2).slice(0, 33), pngChunk("IEND", new Uint8Array())),
      "the PNG ends after 45 bytes without its IDAT chunk; the file is cut short, get it again",
    ],
    [
      "too few pixels",
      png(2, 2, { scanlines: new Uint8Array(5) }),
      "its pixels inflate to 5 bytes, expected the 6 bytes of 2x2; the file is damaged, get it again",
    ],
    [
      "too many pixels",
      png(2, 2, { scanlines: new Uint8Array(7) }),
      "its pixels inflate to more, expected the 6 bytes of 2x2; the file is damaged, get it again",
    ],
    [
      "a bomb, interlaced",
      png(2, 2, { interlace: 1, idat: deflateSync(new Uint8Array(2 ** 24)) }),
      "its pixels inflate to more, expected the 7 bytes of 2x2; the file is damaged, get it again",
    ],
    [
      "pixels cut short",
      png(2, 2, { idat: deflateSync(new Uint8Array(6)).slice(0, 5) }),
      "its pixels inflate to nothing (unexpected end of file), expected the 6 bytes of 2x2; the file is damaged, get it again",
    ],
    [
      "a vast size",
      concat(PNG_SIGNATURE, pngChunk("IHDR", concat(words(65536, 1), Uint8Array.of(8, 0, 0, 0, 0)))),
      "its header says 1x65536 pixels, expected sides from 1 to 65535 and at most 268435456 pixels; the file is damaged, or make the image smaller",
    ],
    [
      "a vast area",
      concat(PNG_SIGNATURE, pngChunk("IHDR", concat(words(65535, 65535), Uint8Array.of(8, 0, 0, 0, 0)))),
      "its header says 65535x65535 pixels, expected sides from 1 to 65535 and at most 268435456 pixels; the file is damaged, or make the image smaller",
    ],
    [
      "a depth that PNG has not",
      png(2, 2, { depth: 7, scanlines: new Uint8Array(6) }),
      "its header says colour type 0, 7 bits, interlace 0, which PNG does not have; the file is damaged, get it again",
    ],
  ])("%s", (_, bytes, message) => {
    expect(inputError(() => decodePng(bytes, "x.png"))).toBe(`x.png: ${message}`);
  });

  test("a palette colour that is missing", () => {
    const file = png(1, 1, { colorType: 3, palette: [1, 2, 3], scanlines: Uint8Array.of(0, 1) });
    expect(inputError(() => decodePng(file, "x.png"))).toBe(
      "x.png: not a whole PNG (index 1 not in palette); the file is damaged, get it again",
    );
  });
});
