import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openImageSet } from "../../src/data/index.js";
import {
  cifarRecords,
  concat,
  idxImages,
  idxLabels,
  inputRejection,
  pattern,
  pngOf,
  temporaryFolder,
  words,
  type Bytes,
} from "./fixtures.js";

const { root, write, folder } = temporaryFolder();

/** A gzip file as the tests need it: typed as plain bytes. */
function gzip(bytes: Uint8Array): Bytes {
  return Uint8Array.from(gzipSync(bytes));
}

/** Tells the folder's path from the rest of a message, which is what the tests compare. */
async function failure(spec: string): Promise<string> {
  return (await inputRejection(openImageSet(spec))).replaceAll(root, "~");
}

describe("IDX", () => {
  write("mnist/train-images-idx3-ubyte.gz", gzip(idxImages(4, 3, 2)));
  write("mnist/train-labels-idx1-ubyte.gz", gzip(idxLabels([0, 1, 9, 3])));
  write("mnist/t10k-images-idx3-ubyte", idxImages(2, 3, 2, 5));
  write("mnist/t10k-labels-idx1-ubyte", idxLabels([1, 0]));
  const mnist = join(root, "mnist");

  test("a folder gives each split, train if none is named", async () => {
    const train = await openImageSet(`${mnist}:train`);
    expect(train).toEqual({
      name: `${mnist}:train`,
      count: 4,
      channels: 1,
      height: 3,
      width: 2,
      pixels: pattern(24),
      labels: Uint8Array.of(0, 1, 9, 3),
      classes: 10,
    });
    expect(await openImageSet(mnist)).toEqual(train);
    expect(await openImageSet(`${mnist}:test`)).toMatchObject({ count: 2, classes: 2, pixels: pattern(12, 5) });
  });

  test("a file, with the labels beside it in either form", async () => {
    const path = join(mnist, "t10k-images-idx3-ubyte");
    expect(await openImageSet(path)).toMatchObject({ name: path, count: 2, labels: Uint8Array.of(1, 0) });
    const letters = write("letters/emnist-train-images.idx3-ubyte", idxImages(2, 1, 1));
    expect(await openImageSet(letters)).toMatchObject({ labels: undefined, classes: 0 });
    write("letters/emnist-train-labels.idx1-ubyte.gz", gzip(idxLabels([25, 1])));
    expect(await openImageSet(letters)).toMatchObject({ labels: Uint8Array.of(25, 1), classes: 26 });
  });

  test("gzip is known by its content, and a file may have any name", async () => {
    expect(await openImageSet(write("any/one", gzip(idxImages(1, 2, 2))))).toMatchObject({
      count: 1,
      labels: undefined,
    });
  });

  test("a folder of one split gives it, and refuses the other", async () => {
    const path = folder("only-test");
    write("only-test/t10k-images.idx3-ubyte", idxImages(1, 1, 1));
    expect(await openImageSet(path)).toMatchObject({ name: `${path}:test`, count: 1 });
    expect(await failure(`${path}:train`)).toBe(
      "~/only-test: holds only a test split, but ~/only-test:train asks for train; add its files or name ~/only-test:test",
    );
  });

  test("labels of another count", async () => {
    write("mixed/train-images-idx3-ubyte", idxImages(3, 1, 1));
    write("mixed/train-labels-idx1-ubyte.gz", gzip(idxLabels([1])));
    expect(await failure(join(root, "mixed"))).toBe(
      "~/mixed/train-labels-idx1-ubyte.gz: 1 labels, expected 3, one for each image of ~/mixed/train-images-idx3-ubyte; put the two files of one set together",
    );
  });

  test("gzip cut anywhere is refused", async () => {
    const whole = gzip(idxImages(50, 9, 9));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), async (length) => {
        const message = await failure(write("cut/images", whole.slice(0, length)));
        expect(message).toMatch(/^~\/cut\/images: /);
      }),
      { numRuns: 40 },
    );
    expect(await failure(write("cut/images", whole.slice(0, -9)))).toBe(
      "~/cut/images: not a whole gzip file (unexpected end of file); it is cut short or damaged, get it again",
    );
  });

  test("a gzip bomb is not inflated beyond what its header promises", async () => {
    const bomb = gzip(concat(words(0x803, 1, 2, 2), new Uint8Array(2 ** 25)));
    expect(await failure(write("bomb", bomb))).toBe(
      "~/bomb: inflates to more than the 20 bytes that its header promises; the file is damaged, get it again",
    );
  });

  test("a gzip header may not promise more than the file can hold", async () => {
    const liar = gzip(idxImages(1, 1, 1).fill(0xff, 4, 8).fill(1, 5, 8).fill(0, 4, 5));
    expect(await failure(write("liar", liar))).toBe(
      `~/liar: its header promises ${16 + 0x010101} bytes, more than ${liar.length} bytes of gzip can hold; the file is cut short or damaged, get it again`,
    );
  });

  test("a file of another kind", async () => {
    expect(await failure(write("some.png", pngOf(1, 1, 0, [1])))).toBe(
      "~/some.png: is one image file; name the folder that holds the images",
    );
    expect(await failure(write("some.bin", pngOf(1, 1, 0, [1])))).toBe(
      "~/some.bin: begins with 0x89504e47, expected 0x00000803 (IDX images, unsigned bytes); name an IDX images file",
    );
    expect(await failure(join(mnist, "train-labels-idx1-ubyte.gz"))).toBe(
      "~/mnist/train-labels-idx1-ubyte.gz: begins with 0x00000801, IDX labels, expected 0x00000803 (IDX images, unsigned bytes); name an IDX images file",
    );
  });
});

describe("CIFAR", () => {
  const names = Array.from({ length: 10 }, (_, i) => `class ${i}`);
  for (const batch of [1, 2, 3, 4, 5]) write(`cifar/data_batch_${batch}.bin`, cifarRecords([[batch], [0]], batch));
  write("cifar/test_batch.bin", cifarRecords([[7]]));
  write("cifar/batches.meta.txt", `${names.join("\n")}\n\n`);
  const cifar = join(root, "cifar");

  test("CIFAR-10: five batches of training images in order, one of test images, class names", async () => {
    const train = await openImageSet(cifar);
    expect(train).toMatchObject({ name: `${cifar}:train`, count: 10, channels: 3, height: 32, width: 32, classes: 10 });
    expect(train.labels).toEqual(Uint8Array.of(1, 0, 2, 0, 3, 0, 4, 0, 5, 0));
    expect(train.classNames).toEqual(names);
    expect(train.pixels.slice(3072 * 8, 3072 * 9)).toEqual(pattern(3072, 5));
    expect((await openImageSet(`${cifar}:test`)).labels).toEqual(Uint8Array.of(7));
  });

  test("CIFAR-100: fine labels", async () => {
    write("cifar100/train.bin", cifarRecords([[1, 50]]));
    const path = join(root, "cifar100");
    const train = await openImageSet(path);
    expect(train).toMatchObject({ count: 1, classes: 100, labels: Uint8Array.of(50) });
    expect(train.classNames).toBeUndefined();
    expect(await failure(`${path}:test`)).toMatch(/^~\/cifar100: holds only a train split/);
  });

  test("a missing batch, a cut one and a wrong list of names", async () => {
    write("less/data_batch_1.bin", cifarRecords([[1]]));
    const all = [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`);
    expect(await failure(join(root, "less"))).toBe(
      `~/less: ${all.slice(1).join(", ")} missing, expected ${all.join(", ")}; restore what is missing from the archive`,
    );
    write("cut-cifar/test_batch.bin", cifarRecords([[1]]).slice(1));
    expect(await failure(join(root, "cut-cifar"))).toMatch(/^~\/cut-cifar\/test_batch\.bin: 3072 bytes, expected/);
    write("names/test_batch.bin", cifarRecords([[1]]));
    write("names/batches.meta.txt", "cat\n");
    expect(await failure(join(root, "names"))).toMatch(/^~\/names\/batches\.meta\.txt: 1 class names, expected 10/);
  });
});

describe("PNG folders", () => {
  test("without class folders: sorted by name, no labels", async () => {
    write("flat/b.png", pngOf(1, 2, 0, [3, 4]));
    write("flat/a.PNG", pngOf(1, 2, 0, [1, 2]));
    write("flat/.hidden.png", "no image");
    write("flat/notes.txt", "left out");
    const path = join(root, "flat");
    expect(await openImageSet(path)).toEqual({
      name: path,
      count: 2,
      channels: 1,
      height: 1,
      width: 2,
      pixels: Uint8Array.of(1, 2, 3, 4),
      labels: undefined,
      classes: 0,
    });
    expect(await failure(`${path}:test`)).toBe(
      "~/flat: holds no splits, but ~/flat:test asks for test; add its files or name ~/flat alone",
    );
  });

  test("class folders sorted by name give the labels", async () => {
    write("pets/dog/1.png", pngOf(1, 1, 0, [10]));
    write("pets/cat/2.png", pngOf(1, 1, 0, [21]));
    write("pets/cat/1.png", pngOf(1, 1, 0, [20]));
    mkdirSync(join(root, "pets/.cache"));
    expect(await openImageSet(join(root, "pets"))).toMatchObject({
      count: 3,
      pixels: Uint8Array.of(20, 21, 10),
      labels: Uint8Array.of(0, 0, 1),
      classes: 2,
      classNames: ["cat", "dog"],
    });
  });

  test("links to images and to class folders are followed", async () => {
    write("linked/a/1.png", pngOf(1, 1, 0, [7]));
    symlinkSync(join(root, "linked/a"), join(root, "linked/b"));
    symlinkSync(join(root, "linked/a/1.png"), join(root, "linked/a/2.png"));
    expect((await openImageSet(join(root, "linked"))).labels).toEqual(Uint8Array.of(0, 0, 1, 1));
  });

  test("more than 256 classes have 32-bit labels", async () => {
    for (let i = 0; i < 300; i++) write(`many/${String(i).padStart(3, "0")}/1.png`, pngOf(1, 1, 0, [i & 255]));
    const set = await openImageSet(join(root, "many"));
    expect(set.labels).toEqual(Uint32Array.from({ length: 300 }, (_, i) => i));
    expect(set.classes).toBe(300);
  });

  test("one image with colour makes all of them RGB, wherever it comes", async () => {
    write("colors/1.png", pngOf(1, 2, 0, [1, 2]));
    write("colors/2.png", pngOf(1, 2, 2, [10, 20, 30, 11, 21, 31]));
    write("colors/3.png", pngOf(1, 2, 4, [5, 255, 6, 0]));
    expect(await openImageSet(join(root, "colors"))).toMatchObject({
      channels: 3,
      pixels: Uint8Array.of(1, 2, 1, 2, 1, 2, 10, 11, 20, 21, 30, 31, 5, 255, 5, 255, 5, 255),
    });
  });

  test("train and test subfolders are splits, and train is the one if none is named", async () => {
    write("split/train/x/1.png", pngOf(1, 1, 0, [1]));
    write("split/train/y/1.png", pngOf(1, 1, 0, [2]));
    write("split/test/x/1.png", pngOf(1, 1, 0, [3]));
    write("split/test/y/1.png", pngOf(1, 1, 0, [4]));
    folder("split/valid");
    const path = join(root, "split");
    expect(await openImageSet(path)).toMatchObject({ name: `${path}:train`, pixels: Uint8Array.of(1, 2), classes: 2 });
    expect(await openImageSet(`${path}:test`)).toMatchObject({ pixels: Uint8Array.of(3, 4), classNames: ["x", "y"] });
  });

  test("a single subfolder train or test is a split; beside others it is a class", async () => {
    write("lone/test/1.png", pngOf(1, 1, 0, [1]));
    expect(await openImageSet(join(root, "lone"))).toMatchObject({ name: `${root}/lone:test`, labels: undefined });
    write("vehicles/train/1.png", pngOf(1, 1, 0, [1]));
    write("vehicles/bus/1.png", pngOf(1, 1, 0, [2]));
    expect(await openImageSet(join(root, "vehicles"))).toMatchObject({ classNames: ["bus", "train"] });
  });

  test.each([
    [1, 2],
    [2, 2],
    [1, 1],
  ])("images of two sizes, %sx%s beside 2x1", async (height, width) => {
    write("sizes/1.png", pngOf(2, 1, 0, [1, 2]));
    write("sizes/2.png", pngOf(height, width, 0, pattern(height * width)));
    expect(await failure(join(root, "sizes"))).toBe(
      `~/sizes: images of 2 sizes, height by width (1 of 2x1 as ~/sizes/1.png, 1 of ${height}x${width} as ~/sizes/2.png), expected one; give --size, for example --size 32, to bring all to one`,
    );
  });

  test("a broken PNG", async () => {
    write("broken/1.png", pngOf(1, 1, 0, [1]));
    write("broken/2.png", pngOf(1, 1, 0, [1]).slice(0, 40));
    expect(await failure(join(root, "broken"))).toBe(
      "~/broken/2.png: the PNG ends after 40 bytes without its IEND chunk; the file is cut short, get it again; --skip-bad leaves such files out",
    );
  });

  test("images both directly and in class folders, and a class without images", async () => {
    write("both/1.png", pngOf(1, 1, 0, [1]));
    write("both/x/1.png", pngOf(1, 1, 0, [1]));
    expect(await failure(join(root, "both"))).toBe(
      "~/both: holds images both directly (1.png) and in subfolders (~/both/x), expected one or the other; move them",
    );
    write("gap/x/1.png", pngOf(1, 1, 0, [1]));
    folder("gap/y");
    expect(await failure(join(root, "gap"))).toBe(
      "~/gap/y: a class folder without PNG, JPEG or WebP images, expected at least 1; add images or remove the folder",
    );
  });
});

describe("names and places", () => {
  test("an empty folder, and one of other things, split or not", async () => {
    const what =
      "expected PNG, JPEG or WebP images, IDX files or CIFAR binary files; name the folder that holds them, unpacked";
    expect(await failure(folder("empty"))).toBe(`~/empty: is empty, ${what}`);
    for (const name of ["a.tar.gz", "b.tar.gz", "c", "d"]) write(`archives/${name}`, "x");
    folder("archives/sub");
    const found = "holds no images that are read (found sub/, a.tar.gz, b.tar.gz, c, …)";
    expect(await failure(join(root, "archives"))).toBe(`~/archives: ${found}, ${what}`);
    expect(await failure(`${root}/archives:train`)).toBe(`~/archives: ${found}, ${what}`);
  });

  test("nothing there", async () => {
    const rest = "expected PNG, JPEG or WebP images, IDX files or CIFAR binary files; check the path";
    expect(await failure(`${root}/nowhere`)).toBe(`~/nowhere: there is no file or folder ~/nowhere, ${rest}`);
    expect(await failure(`${root}/nowhere:test`)).toBe(`~/nowhere:test: there is no file or folder ~/nowhere, ${rest}`);
    expect(await failure("")).toMatch(/there is no file or folder/);
    expect(await failure("/dev/null")).toBe(
      "/dev/null: neither a file nor a folder, expected PNG, JPEG or WebP images, IDX files or CIFAR binary files; check the path",
    );
  });

  test("a split that there is not, and a split of one file", async () => {
    folder("place");
    expect(await failure(`${root}/place:valid`)).toBe(
      '~/place:valid: "valid" is no split, expected train or test; write ~/place:train or ~/place:test',
    );
    const file = write("single", idxImages(1, 1, 1));
    expect(await failure(`${file}:train`)).toBe(
      "~/single:train: asks for the train split of one file, expected a folder with splits; write ~/single alone",
    );
  });

  test("a path may hold colons, even one that looks like a split", async () => {
    write("a:b/1.png", pngOf(1, 1, 0, [1]));
    write("odd:train/1.png", pngOf(1, 1, 0, [2]));
    write("c:d/train/1.png", pngOf(1, 1, 0, [3]));
    expect((await openImageSet(`${root}/a:b`)).pixels).toEqual(Uint8Array.of(1));
    expect((await openImageSet(`${root}/odd:train`)).pixels).toEqual(Uint8Array.of(2));
    expect((await openImageSet(`${root}/c:d:train`)).pixels).toEqual(Uint8Array.of(3));
  });
});
