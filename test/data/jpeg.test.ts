import { execFileSync } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { decodeImage as decodeJpeg } from "../../src/data/decode-image.node.js";
import { openImageSet } from "../../src/data/index.js";
import { scanJpeg } from "../../src/data/jpeg-header.js";
import { bundleChild } from "../child.js";
import {
  concat,
  inputError,
  inputRejection,
  pattern,
  png,
  pngOf,
  temporaryFolder,
  words,
  type Bytes,
} from "./fixtures.js";

const { root, write } = temporaryFolder();

/** A segment: marker, length, content. */
const segment = (marker: number, ...content: number[]) =>
  Uint8Array.of(0xff, marker, 0, content.length + 2, ...content);
const SOI = Uint8Array.of(0xff, 0xd8);
/** EXIF with nothing but an orientation, 1 to 8: a big-endian TIFF of one entry. */
const exif = (orientation: number) =>
  segment(
    0xe1,
    ...new TextEncoder().encode("Exif\0\0MM\0*"),
    ...words(8),
    ...[0, 1, 0x01, 0x12, 0, 3],
    ...words(1),
    ...[0, orientation, 0, 0],
    ...words(0),
  );

/** A JPEG file, finely quantised, of `pixels` H W C. */
async function jpegOf(
  height: number,
  width: number,
  channels: 1 | 3,
  pixels: ArrayLike<number>,
  options: { progressive?: boolean; orientation?: number } = {},
): Promise<Bytes> {
  const image = sharp(Uint8Array.from(pixels), { raw: { width, height, channels } });
  if (channels === 1) image.toColourspace("b-w");
  const file = await image
    .jpeg({ quality: 100, chromaSubsampling: "4:4:4", progressive: options.progressive ?? false })
    .toBuffer();
  const bytes = Uint8Array.from(file);
  return options.orientation ? concat(SOI, exif(options.orientation), bytes.subarray(2)) : bytes;
}

/** Pixels of a smooth picture, which JPEG keeps nearly as they are: H W C. */
function slope(height: number, width: number, channels: number): Bytes {
  return Uint8Array.from({ length: height * width * channels }, (_, i) => {
    const pixel = Math.floor(i / channels);
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    return 40 + 4 * row + 9 * column + 25 * (i % channels);
  });
}

/** The same samples as planes: C H W. */
function planes(pixels: Uint8Array, channels: number): number[] {
  const area = pixels.length / channels;
  return Array.from(pixels, (_, i) => pixels[channels * (i % area) + Math.floor(i / area)]);
}

function furthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}

/** A file that ends after its frame header. */
const frame = (height: number, width: number, { marker = 0xc0, depth = 8, components = 3 } = {}) =>
  concat(SOI, segment(marker, depth, height >> 8, height & 255, width >> 8, width & 255, components));

describe("right files", () => {
  test.each([
    [1, false],
    [1, true],
    [3, false],
    [3, true],
  ] as const)("%s channels, progressive: %s", async (channels, progressive) => {
    const pixels = slope(7, 12, channels);
    const file = await jpegOf(7, 12, channels, pixels, { progressive });
    const image = await decodeJpeg(file, "a");
    expect(image).toMatchObject({ channels, height: 7, width: 12 });
    expect(furthest(image.pixels, planes(pixels, channels))).toBeLessThanOrEqual(3);
    expect(scanJpeg(file, "a")).toEqual({ height: 7, width: 12, components: channels, orientation: 1 });
    expect(await decodeJpeg(file, "a")).toEqual(image);
  });

  test("EXIF orientation turns and mirrors", async () => {
    const [height, width] = [6, 9];
    const pixels = slope(height, width, 1);
    const at = (row: number, column: number) => pixels[row * width + column];
    const turned: Record<number, (row: number, column: number) => number> = {
      2: (row, column) => at(row, width - 1 - column),
      3: (row, column) => at(height - 1 - row, width - 1 - column),
      4: (row, column) => at(height - 1 - row, column),
      5: (row, column) => at(column, row),
      6: (row, column) => at(height - 1 - column, row),
      7: (row, column) => at(height - 1 - column, width - 1 - row),
      8: (row, column) => at(column, width - 1 - row),
    };
    for (const [orientation, of] of Object.entries(turned)) {
      const file = await jpegOf(height, width, 1, pixels, { orientation: Number(orientation) });
      const image = await decodeJpeg(file, "a");
      const [rows, columns] = Number(orientation) > 4 ? [width, height] : [height, width];
      expect(image, orientation).toMatchObject({ height: rows, width: columns });
      const wanted = Array.from({ length: rows * columns }, (_, i) => of(Math.floor(i / columns), i % columns));
      expect(furthest(image.pixels, wanted), orientation).toBeLessThanOrEqual(3);
    }
  });

  test("an embedded colour profile does not change the pixels", async () => {
    const plain = sharp(slope(8, 8, 3), { raw: { width: 8, height: 8, channels: 3 } });
    const [without, with_] = await Promise.all([
      plain.clone().jpeg().toBuffer(),
      plain.clone().withIccProfile("p3").jpeg().toBuffer(),
    ]);
    expect(with_.length).toBeGreaterThan(without.length);
    const stored = await sharp(with_, { ignoreIcc: true }).raw().toBuffer();
    expect((await decodeJpeg(Uint8Array.from(with_), "a")).pixels).toEqual(Uint8Array.from(planes(stored, 3)));
  });
});

describe("wrong files", () => {
  test("cut short anywhere", async () => {
    const file = await jpegOf(9, 9, 3, slope(9, 9, 3));
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: file.length - 1 }), async (length) => {
        expect(await inputRejection(decodeJpeg(file.slice(0, length), "x.jpg"))).toMatch(/^x\.jpg: /);
      }),
    );
    expect(await inputRejection(decodeJpeg(file.slice(0, -2), "x.jpg"))).toBe(
      "x.jpg: not a whole JPEG (premature end of JPEG image); the file is damaged, get it again",
    );
  });

  test("any damage gives an InputError or an image of the size that its header says", async () => {
    const files = [
      await jpegOf(5, 4, 3, slope(5, 4, 3)),
      await jpegOf(6, 3, 1, slope(6, 3, 1), { progressive: true }),
      await jpegOf(3, 5, 3, slope(3, 5, 3), { orientation: 6 }),
    ];
    const edits = fc.array(fc.tuple(fc.nat({ max: 700 }), fc.nat({ max: 255 })), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...files), edits, async (file, changes) => {
        const bytes = file.slice();
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        const outcome = await decodeJpeg(bytes, "x.jpg").then(
          (image) => image,
          (error: unknown) => String(error),
        );
        if (typeof outcome === "string") {
          expect(outcome).toMatch(/^InputError: x\.jpg: .*$/);
        } else {
          const { height, width, components } = scanJpeg(bytes, "x.jpg");
          expect(outcome.channels).toBe(components);
          expect([outcome.height, outcome.width].sort()).toEqual([height, width].sort());
          expect(outcome.pixels.length).toBe(components * height * width);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("CMYK", async () => {
    const cmyk = await sharp(slope(8, 8, 3), { raw: { width: 8, height: 8, channels: 3 } })
      .toColourspace("cmyk")
      .jpeg()
      .toBuffer();
    expect(await inputRejection(decodeJpeg(Uint8Array.from(cmyk), "x.jpg"))).toBe(
      "x.jpg: a JPEG of 4 components (CMYK), expected 1 (grey) or 3 (colour); convert it to RGB",
    );
  });

  const sides =
    "expected sides from 1 to 65535 and at most 268435456 pixels; the file is damaged, or make the image smaller";
  test.each([
    ["PNG", pngOf(1, 1, 0, [1]), "its name says JPEG, but its content is PNG; rename it to .png or remove it"],
    ["nothing", new Uint8Array(), "its name says JPEG, but its content is not; convert it to JPEG or remove it"],
    [
      "the start alone",
      SOI,
      "the JPEG ends after 2 bytes without its frame header; the file is cut short, get it again",
    ],
    [
      "half a frame header",
      frame(2, 2).slice(0, -1),
      "the JPEG ends after 11 bytes without its frame header; the file is cut short, get it again",
    ],
    [
      "pixels before the frame header",
      concat(SOI, segment(0xda, 1, 2, 3)),
      "the JPEG has no frame header before byte 2; the file is damaged, get it again",
    ],
    [
      "no marker where one must be",
      concat(SOI, segment(0xe0, 1), Uint8Array.of(1, 2, 3, 4)),
      "the JPEG has no frame header before byte 7; the file is damaged, get it again",
    ],
    [
      "12 bits a sample",
      frame(2, 2, { marker: 0xc1, depth: 12 }),
      "a JPEG of kind SOF1 with 12 bits a sample, expected baseline or progressive (SOF0 to SOF2) with 8; convert it",
    ],
    [
      "lossless",
      frame(2, 2, { marker: 0xc3 }),
      "a JPEG of kind SOF3 with 8 bits a sample, expected baseline or progressive (SOF0 to SOF2) with 8; convert it",
    ],
    [
      "two components",
      frame(2, 2, { components: 2 }),
      "a JPEG of 2 components, expected 1 (grey) or 3 (colour); convert it to RGB",
    ],
    ["no height", frame(0, 5), `its header says 0x5 pixels, ${sides}`],
    ["a vast area", frame(65535, 65535), `its header says 65535x65535 pixels, ${sides}`],
    [
      "an area that the file cannot hold",
      frame(200, 200),
      "its header promises 200x200 pixels, more than 12 bytes of JPEG can hold; the file is cut short or damaged, get it again",
    ],
  ])("%s", (_, bytes, message) => {
    expect(inputError(() => scanJpeg(bytes, "x.jpg"))).toBe(`x.jpg: ${message}`);
  });

  test("an image of one colour is not taken for one that the file cannot hold", async () => {
    const file = await sharp({ create: { width: 3000, height: 2000, channels: 3, background: "#fff" } })
      .jpeg({ progressive: true, quality: 1 })
      .toBuffer();
    expect(scanJpeg(Uint8Array.from(file), "a")).toMatchObject({ height: 2000, width: 3000 });
  });

  test("fill bytes and lone markers before the frame header are stepped over", () => {
    const file = concat(SOI, Uint8Array.of(0xff, 0xff, 0x01), Uint8Array.of(0xff), frame(2, 3).slice(2));
    expect(scanJpeg(file, "a")).toEqual({ height: 2, width: 3, components: 3, orientation: 1 });
  });
});

describe("folders", () => {
  test("JPEG and PNG mixed, in class folders below a split; grey becomes RGB beside colour", async () => {
    const grey = slope(4, 4, 1);
    const color = slope(4, 4, 3);
    write("mixed/train/cat/1.jpg", await jpegOf(4, 4, 1, grey));
    write("mixed/train/cat/2.png", pngOf(4, 4, 0, grey));
    write("mixed/train/dog/1.JPEG", await jpegOf(4, 4, 3, color));
    const set = await openImageSet(`${root}/mixed:train`);
    expect(set).toMatchObject({ count: 3, channels: 3, classNames: ["cat", "dog"], labels: Uint8Array.of(0, 0, 1) });
    const greys = [...grey, ...grey, ...grey];
    expect(furthest(set.pixels, [...greys, ...greys, ...planes(color, 3)])).toBeLessThanOrEqual(3);
    expect((await openImageSet(`${root}/mixed/train/cat`)).channels).toBe(1);
  });

  test("more files than are decoded at once come in the order of their names, and broken ones are told in it", async () => {
    const pixels: number[] = [];
    for (let i = 10; i < 60; i++) {
      write(`many/${i}.jpg`, await jpegOf(8, 8, 1, new Uint8Array(64).fill(i)));
      pixels.push(...new Uint8Array(64).fill(i));
    }
    expect(furthest((await openImageSet(join(root, "many"))).pixels, pixels)).toBe(0);
    write("many/30.jpg", (await jpegOf(8, 8, 1, pattern(64))).slice(0, -2));
    for (const i of [31, 35, 50]) write(`many/${i}.jpg`, "x");
    expect((await inputRejection(openImageSet(join(root, "many")))).replaceAll(root, "~")).toMatch(
      /^4 of 50 images cannot be read: ~\/many\/30\.jpg, ~\/many\/31\.jpg, ~\/many\/35\.jpg, ~\/many\/50\.jpg; the first: ~\/many\/30\.jpg: not a whole JPEG .*; --skip-bad leaves such files out$/,
    );
  });

  test("one size is compared as turned", async () => {
    write("turned/1.jpg", await jpegOf(4, 6, 1, slope(4, 6, 1)));
    write("turned/2.jpg", await jpegOf(6, 4, 1, slope(6, 4, 1), { orientation: 6 }));
    expect(await openImageSet(join(root, "turned"))).toMatchObject({ height: 4, width: 6 });
    write("turned/3.jpg", await jpegOf(6, 4, 1, slope(6, 4, 1)));
    expect(await inputRejection(openImageSet(join(root, "turned")))).toBe(
      `${root}/turned: images of 2 sizes, height by width (2 of 4x6 as ${root}/turned/1.jpg, 1 of 6x4 as ${root}/turned/3.jpg), expected one; give --size, for example --size 32, to bring all to one`,
    );
  });

  test("without sharp, PNG is read and JPEG says what to install", async () => {
    write("png/1.png", pngOf(1, 2, 0, [5, 6]));
    const file = write("jpeg/1.jpg", await jpegOf(2, 2, 1, [1, 2, 3, 4]));
    const script = await bundleChild("test/data/open.child.ts", root, ["sharp"]);
    const resized = JSON.stringify({ spec: join(root, "png"), size: { height: 4, width: 4 } });
    write("large/1.png", png(70, 70, { depth: 16, colorType: 6 }));
    const folders = [join(root, "png"), join(root, "jpeg"), resized, join(root, "large")];
    const lines = execFileSync(process.execPath, [script, ...folders], { encoding: "utf8" });
    const missing = (what: string) =>
      new RegExp(
        `^MissingSharpError: \\S+: ${what} need the package sharp, which cannot be loaded \\(Cannot find package 'sharp' .*\\); npm install sharp$`,
      );
    expect(lines.trim().split("\n")).toEqual([
      "[5,6]",
      expect.stringMatching(missing("JPEG images")),
      expect.stringMatching(missing("images that are resized")),
      JSON.stringify(Array.from((await openImageSet(join(root, "large"))).pixels)),
    ]);
    expect(lines).toContain(file);
  });
});
