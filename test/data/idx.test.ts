import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { idxImageSet, parseIdxHeader, parseIdxImages, parseIdxLabels } from "../../src/data/idx.js";
import { concat, idxImages, idxLabels, inputError, pattern, valueOrInputError, words, type Bytes } from "./fixtures.js";

const small = fc.integer({ min: 1, max: 9 });

/** A file with some bytes overwritten, then cut or lengthened. */
function corrupted(file: Bytes) {
  const edit = fc.tuple(fc.nat({ max: file.length - 1 }), fc.nat({ max: 255 }));
  return fc
    .tuple(fc.array(edit, { maxLength: 3 }), fc.option(fc.nat({ max: file.length })), fc.uint8Array({ maxLength: 3 }))
    .map(([edits, cut, tail]) => {
      const bytes = file.slice(0, cut ?? file.length);
      for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
      return concat(bytes, tail);
    });
}

describe("right files", () => {
  test("images come back as they were written", () => {
    fc.assert(
      fc.property(small, small, small, fc.nat({ max: 255 }), (count, height, width, seed) => {
        const images = parseIdxImages(idxImages(count, height, width, seed), "a");
        expect(images).toEqual({ name: "a", count, height, width, pixels: pattern(count * height * width, seed) });
      }),
    );
  });

  test("labels come back as they were written", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), (labels) => {
        expect(parseIdxLabels(idxLabels(labels), "a").labels).toEqual(Uint8Array.from(labels));
      }),
    );
  });

  test("a file in the middle of a buffer is read from its own beginning", () => {
    const file = idxImages(2, 3, 4);
    const inside = concat(new Uint8Array(5), file, new Uint8Array(3)).subarray(5, 5 + file.length);
    expect(parseIdxImages(inside, "a")).toEqual(parseIdxImages(file, "a"));
  });

  test("images and labels make a grey set", () => {
    const images = parseIdxImages(idxImages(3, 2, 4), "images");
    const labels = parseIdxLabels(idxLabels([0, 6, 2]), "labels");
    const common = { name: "set", count: 3, channels: 1, height: 2, width: 4, pixels: pattern(24) };
    expect(idxImageSet("set", images, labels)).toEqual({ ...common, labels: Uint8Array.of(0, 6, 2), classes: 7 });
    expect(idxImageSet("set", images)).toEqual({ ...common, labels: undefined, classes: 0 });
  });
});

describe("wrong files", () => {
  test("any damage gives an InputError or images that fill the file, and the pixels are never copied", () => {
    fc.assert(
      fc.property(corrupted(idxImages(3, 4, 5)), (bytes) => {
        const images = valueOrInputError(() => parseIdxImages(bytes, "a"));
        if (!images) return;
        expect(images.pixels.length).toBe(images.count * images.height * images.width);
        expect(images.pixels.length).toBe(bytes.length - 16);
        expect(images.pixels.buffer).toBe(bytes.buffer);
      }),
      { numRuns: 1000 },
    );
  });

  test("any damage of labels gives an InputError or labels that fill the file", () => {
    fc.assert(
      fc.property(corrupted(idxLabels([1, 2, 3, 4])), (bytes) => {
        const labels = valueOrInputError(() => parseIdxLabels(bytes, "a"))?.labels;
        if (labels) expect(labels).toEqual(bytes.slice(8));
      }),
      { numRuns: 1000 },
    );
  });

  test("any header at all gives an InputError or sizes that can be read", () => {
    const word = fc.oneof(fc.nat({ max: 70_000 }), fc.nat({ max: 2 ** 32 - 1 }), fc.constant(2 ** 32 - 1));
    fc.assert(
      fc.property(word, word, word, (count, height, width) => {
        const header = valueOrInputError(() => parseIdxHeader(words(0x803, count, height, width), "a", "images"));
        if (header) expect(header).toMatchObject({ count, height, width, byteLength: 16 + count * height * width });
        expect(header?.byteLength ?? 0).toBeLessThan(2 ** 31);
      }),
    );
  });

  test.each([
    [
      "images for labels",
      words(0x801, 1),
      "begins with 0x00000801, IDX labels, expected 0x00000803 (IDX images, unsigned bytes); name an IDX images file",
    ],
    [
      "floats",
      words(0xd03, 1, 1, 1),
      "begins with 0x00000d03, expected 0x00000803 (IDX images, unsigned bytes); name an IDX images file",
    ],
    [
      "a cut header",
      words(0x803, 1, 1).slice(0, 11),
      "11 bytes, expected an IDX header of 16; the file is cut short, get it again",
    ],
    ["nothing", new Uint8Array(), "0 bytes, expected an IDX header of 16; the file is cut short, get it again"],
    ["no images", words(0x803, 0, 28, 28), "its header says 0 images, expected at least 1; get the file again"],
    [
      "no height",
      words(0x803, 1, 0, 28),
      "its header says images of 0x28, expected sides from 1 to 65535; the header is damaged, get the file again",
    ],
    [
      "a vast height",
      words(0x803, 1, 65536, 1),
      "its header says images of 65536x1, expected sides from 1 to 65535; the header is damaged, get the file again",
    ],
    [
      "a vast side",
      words(0x803, 1, 1, 65536),
      "its header says images of 1x65536, expected sides from 1 to 65535; the header is damaged, get the file again",
    ],
    [
      "sizes whose product is beyond 2^32",
      words(0x803, 0xffffffff, 65535, 65535),
      "its header says 4294967295 images of 65535x65535, more than the 2147483647 bytes that can be read; the header is damaged, or use fewer images",
    ],
    [
      "missing pixels",
      idxImages(3, 4, 5).slice(0, -1),
      "75 bytes, expected 76 for the 3 items of its header; the file is cut short, get it again",
    ],
    [
      "pixels to spare",
      concat(idxImages(3, 4, 5), words(0)),
      "80 bytes, expected 76 for the 3 items of its header; the file is longer than its header says, get it again",
    ],
  ])("%s", (_, bytes, message) => {
    expect(inputError(() => parseIdxImages(bytes, "x-images"))).toBe(`x-images: ${message}`);
  });

  test("labels of other images", () => {
    const images = parseIdxImages(idxImages(3, 2, 2), "x-images");
    expect(inputError(() => idxImageSet("x", images, parseIdxLabels(idxLabels([1, 2]), "x-labels")))).toBe(
      "x-labels: 2 labels, expected 3, one for each image of x-images; put the two files of one set together",
    );
  });

  test("a label file cut short, and one that holds images", () => {
    expect(inputError(() => parseIdxLabels(idxLabels([1, 2, 3]).slice(0, -1), "x-labels"))).toBe(
      "x-labels: 10 bytes, expected 11 for the 3 items of its header; the file is cut short, get it again",
    );
    expect(inputError(() => parseIdxLabels(idxImages(1, 1, 1), "x-labels"))).toBe(
      "x-labels: begins with 0x00000803, IDX images, expected 0x00000801 (IDX labels, unsigned bytes); name an IDX labels file",
    );
  });
});
