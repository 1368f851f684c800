import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { cachedImages, trimCache } from "../../src/data/decoded-cache.node.js";
import { decodeFile } from "../../src/data/decode-image.node.js";
import { decodeImages } from "../../src/data/decode-images.node.js";
import { openImageSet, type OpenOptions } from "../../src/data/index.js";
import {
  cifarRecords,
  idxImages,
  inputRejection,
  pattern,
  png,
  pngOf,
  temporaryFolder,
  type Bytes,
} from "./fixtures.js";

const { root, write, folder } = temporaryFolder();
const at = (...names: string[]) => join(root, ...names);

async function failure(spec: string, options?: OpenOptions): Promise<string> {
  return (await inputRejection(openImageSet(at(spec), options))).replaceAll(root, "~");
}

/** Opens a folder, and gives the notices too. */
async function opened(spec: string, options: OpenOptions = {}) {
  const notices: string[] = [];
  const onNotice = (line: string) => notices.push(line.replaceAll(root, "~"));
  return { set: await openImageSet(at(spec), { ...options, onNotice }), notices };
}

async function photo(height: number, width: number, background: string, kind: "jpeg" | "webp" | "png"): Promise<Bytes> {
  const picture = sharp({ create: { height, width, channels: 3, background } });
  return Uint8Array.from(await picture.toFormat(kind).toBuffer());
}

const size = { height: 4, width: 6 };

describe("images of many sizes", () => {
  test("are told, with the cure; with a size all kinds come to it, in the order of their names", async () => {
    write("many/a.jpg", await photo(20, 30, "#ff0000", "jpeg"));
    write("many/b.webp", await photo(40, 10, "#00ff00", "webp"));
    write("many/c.png", await photo(4, 6, "#0000ff", "png"));
    write("many/d.PNG", pngOf(20, 30, 0, pattern(600)));
    for (const name of ["e", "f"]) write(`many/${name}.png`, pngOf(1, 2, 0, [1, 2]));
    write("many/g.png", pngOf(9, 9, 0, pattern(81)));
    expect(await failure("many")).toBe(
      "~/many: images of 5 sizes, height by width (2 of 20x30 as ~/many/a.jpg, 2 of 1x2 as ~/many/e.png, 1 of 40x10 as ~/many/b.webp, 1 of 4x6 as ~/many/c.png, …), expected one; give --size, for example --size 32, to bring all to one",
    );
    const { set } = await opened("many", { size });
    expect(set).toMatchObject({ count: 7, channels: 3, ...size });
    const first = (image: number) => [0, 1, 2].map((channel) => set.pixels[(image * 3 + channel) * 24 + 12]);
    expect(first(0)[0]).toBeGreaterThan(250);
    expect(first(1)[1]).toBeGreaterThan(250);
    expect(first(2)).toEqual([0, 0, 255]);
    expect(new Set(first(3)).size).toBe(1);
  });

  test("one channel where all are grey, or as asked for", async () => {
    write("grey/a.png", pngOf(2, 2, 0, [1, 2, 3, 4]));
    write("grey/b.png", pngOf(4, 4, 0, pattern(16)));
    expect((await opened("grey", { size })).set.channels).toBe(1);
    const three = (await opened("grey", { size, channels: 3 })).set;
    expect(three.pixels.subarray(0, 24)).toEqual(three.pixels.subarray(24, 48));
    expect((await opened("many", { size, channels: 1 })).set).toMatchObject({ channels: 1, count: 7 });
    // Grey because it is asked for, a first image with colours notwithstanding.
    write("color/a.png", pngOf(1, 1, 2, [255, 0, 0]));
    expect((await opened("color", { channels: 1 })).set.pixels).toEqual(Uint8Array.of(76));
  });

  test("IDX and CIFAR stay as they are, and say so", async () => {
    write("idx/train-images-idx3-ubyte", idxImages(1, 3, 2));
    write("cifar/test_batch.bin", cifarRecords([[1]]));
    expect((await opened("idx", { size: { height: 3, width: 2 }, channels: 1 })).set.count).toBe(1);
    expect(await failure("idx", { size })).toBe(
      "~/idx:train: images of 1x3x2, which stay as they are, and --size 4x6 asks for others; leave that out, or give a folder of image files",
    );
    expect(await failure("cifar", { channels: 1 })).toMatch(/^~\/cifar:test: images of 3x32x32, .* --channels 1 asks/);
  });
});

describe("broken files", () => {
  const broken = async () => {
    write("broken/a/1.png", pngOf(1, 1, 0, [1]));
    write("broken/a/2.png", "just text");
    write("broken/b/1.png", pngOf(1, 1, 0, [2]));
    write("broken/b/2.jpg", (await photo(1, 1, "#fff", "jpeg")).slice(0, -20));
    write("broken/b/3.png", "");
    write("broken/c/1.png", pngOf(1, 1, 0, [3]));
  };

  test("all are named in one line, with their number; of many, so many", async () => {
    await broken();
    expect(await failure("broken")).toBe(
      "3 of 6 images cannot be read: ~/broken/a/2.png, ~/broken/b/2.jpg, ~/broken/b/3.png; the first: ~/broken/a/2.png: its name says PNG, but its content is not; convert it to PNG or remove it; --skip-bad leaves such files out",
    );
    for (let i = 10; i < 35; i++) write(`worse/${i}.png`, "");
    write("worse/99.png", pngOf(1, 1, 0, [1]));
    const message = await failure("worse");
    expect(message).toMatch(
      /^25 of 26 images cannot be read: .* and 15 more; the first: ~\/worse\/10\.png: the file is empty/,
    );
    expect(message.match(/worse\/\d\d\.png/g)).toHaveLength(11);
  });

  test("are left out and listed with skipBad, and their labels with them", async () => {
    await broken();
    const { set, notices } = await opened("broken", { skipBad: true });
    expect(set).toMatchObject({ count: 3, labels: Uint8Array.of(0, 1, 2), pixels: Uint8Array.of(1, 2, 3), classes: 3 });
    expect(set.unreadable?.map(({ file }) => file.replace(root, "~"))).toEqual([
      "~/broken/a/2.png",
      "~/broken/b/2.jpg",
      "~/broken/b/3.png",
    ]);
    expect(notices[0]).toBe("~/broken: left out 3 of 6 images, which cannot be read:");
    expect(notices.slice(1)).toEqual(set.unreadable?.map(({ reason }) => `  ${reason.replaceAll(root, "~")}`));
    write("hopeless/1.png", "");
    expect(await failure("hopeless", { skipBad: true })).toBe(
      "~/hopeless: none of 1 images can be read; the first fault: ~/hopeless/1.png: the file is empty; get it again, or remove it",
    );
  });

  test("are left out of any size", async () => {
    for (const [index, side] of [1, 1, 1, 5, 7].entries()) {
      const whole = await photo(side, side, "#fff", "jpeg");
      write(`sized/${index}.jpg`, side === 1 ? whole : whole.slice(0, -20));
    }
    const { set } = await opened("sized", { skipBad: true });
    expect(set).toMatchObject({ count: 3, height: 1, width: 1 });
    expect(set.unreadable).toHaveLength(2);
    write("sized/5.jpg", await photo(2, 2, "#fff", "jpeg"));
    expect(await failure("sized", { skipBad: true })).toContain(
      "images of 2 sizes, height by width (3 of 1x1 as ~/sized/0.jpg, 1 of 2x2 as ~/sized/5.jpg)",
    );
  });

  test("a file that may not be read is one of them", async () => {
    write("locked/1.png", pngOf(1, 1, 0, [1]));
    symlinkSync(at("nowhere"), at("locked/2.png"));
    chmodSync(write("locked/3.png", pngOf(1, 1, 0, [1])), 0o000);
    const { set } = await opened("locked", { skipBad: true });
    // Permissions do not bind every user.
    expect(set.count + (set.unreadable?.length ?? 0)).toBe(3);
    expect(set.unreadable).toContainEqual({ file: at("locked/2.png"), reason: expect.stringMatching(/no such file/) });
  });

  test("nobody waits for the pixels of a run that was stopped", async () => {
    const stop = new AbortController();
    for (let i = 0; i < 40; i++) write(`stopped/${10 + i}.png`, pngOf(1, 1, 0, [i]));
    const done: number[] = [];
    const onProgress = (count: number, total: number) => {
      expect(total).toBe(40);
      done.push(count);
      if (count === 5) stop.abort(new Error("stopped"));
    };
    await expect(openImageSet(at("stopped"), { onProgress, signal: stop.signal })).rejects.toThrow("stopped");
    expect(done).toEqual([1, 2, 3, 4, 5]);
  });
});

describe("folders", () => {
  test("hidden files and other things are left out and counted", async () => {
    write("messy/x/1.png", pngOf(1, 1, 0, [1]));
    for (const name of ["Thumbs.db", ".DS_Store", "a.txt", "b.TXT", "readme", "._1.png"]) write(`messy/x/${name}`, "x");
    write("messy/labels.csv", "x");
    const { set, notices } = await opened("messy");
    expect(set).toMatchObject({ count: 1, classNames: ["x"] });
    expect(notices).toEqual([
      "~/messy: left out 7 files that are no images (2 .txt, 1 .DS_Store, 1 ._1.png, 1 .csv, 1 Thumbs.db, …)",
    ]);
  });

  test("below a class folder images are of that class, at any depth, sorted by folder and name", async () => {
    write("deep/dog/b/1.png", pngOf(1, 1, 0, [2]));
    write("deep/dog/a/z/1.png", pngOf(1, 1, 0, [1]));
    write("deep/dog/c.png", pngOf(1, 1, 0, [3]));
    write("deep/cat/1.png", pngOf(1, 1, 0, [0]));
    expect((await opened("deep")).set).toMatchObject({
      pixels: Uint8Array.of(0, 1, 2, 3),
      labels: Uint8Array.of(0, 1, 1, 1),
    });
  });

  test("links that lead round in a circle end", async () => {
    write("circle/x/1.png", pngOf(1, 1, 0, [1]));
    mkdirSync(at("circle/x/in"));
    symlinkSync(at("circle"), at("circle/x/in/up"));
    symlinkSync(at("circle/x"), at("circle/x/self"));
    symlinkSync(at("circle/x/loop"), at("circle/x/loop"));
    expect((await opened("circle")).set.count).toBe(1);
    symlinkSync(at("circle"), at("circle/x/top"));
    mkdirSync(at("circle/y"));
    symlinkSync(at("circle/x/1.png"), at("circle/y/1.png"));
    expect((await opened("circle")).set.count).toBe(2);
  });

  test("links that lead to nothing are files that cannot be read", async () => {
    write("gone/x/1.png", pngOf(1, 1, 0, [1]));
    symlinkSync(at("gone/x/none.png"), at("gone/x/2.png"));
    await expect(opened("gone")).rejects.toThrow(/2\.png: cannot be read \(there is no such file or folder\)/);
  });
});

test("images of one size come from paths in parts, for more than memory holds", async () => {
  const paths = await Promise.all(
    Array.from({ length: 30 }, async (_, i) =>
      write(`parts/${10 + i}.jpg`, await photo(8, 8, `rgb(${8 * i},0,0)`, "jpeg")),
    ),
  );
  const whole = await decodeImages(paths, { size, channels: 3 });
  expect(whole).toMatchObject({ channels: 3, ...size, unreadable: [] });
  for (let start = 0; start < 30; start += 7) {
    const part = await decodeImages(paths.slice(start, start + 7), { size, channels: 3 });
    expect(part.pixels).toEqual(whole.pixels.subarray(start * 72, (start + 7) * 72));
    expect(Array.from(part.kept)).toEqual(Array.from({ length: Math.min(7, 30 - start) }, (_, i) => i));
  }
});

test("one image alone is as it is among others, and its fault is told without advice for folders", async () => {
  const path = write("one/1.jpg", await photo(9, 12, "#336699", "jpeg"));
  const { channels, height, width, pixels } = await decodeImages([path], { size, channels: 1 });
  expect(await decodeFile(path, { size, channels: 1 })).toEqual({ channels, height, width, pixels });
  expect(await decodeFile(path)).toMatchObject({ channels: 3, height: 9, width: 12 });
  expect(await inputRejection(decodeFile(write("one/2.png", "")))).toBe(
    `${at("one/2.png")}: the file is empty; get it again, or remove it`,
  );
  expect(await inputRejection(decodeFile("/dev/null"))).toBe(
    "/dev/null: is no file, but a folder, a pipe or a device; check the path",
  );
  expect(await inputRejection(decodeFile(at("one/3.png")))).toMatch(/3\.png: cannot be read \(there is no such file/);
});

describe("cache", () => {
  const cache = folder("cache");
  const notices: string[] = [];
  const read = (paths: string[], options: Partial<Parameters<typeof cachedImages>[1]> = {}) => {
    notices.length = 0;
    const onNotice = (line: string) => notices.push(line.replaceAll(root, "~"));
    return cachedImages(paths, { name: "set", cache: true, folder: cache, onNotice, ...options });
  };
  const paths = [1, 2, 3].map((i) => write(`kept/${i}.png`, pngOf(2, 2, 0, pattern(4, i))));
  const bad = write("kept/bad.png", "x");
  const used = () => notices.some((line) => line.includes("as they were decoded before"));

  test("gives the same, without the files being read", async () => {
    const all = [...paths, bad];
    const fresh = await read(all, { skipBad: true });
    expect(used()).toBe(false);
    const again = await read(all, { skipBad: true });
    expect(notices).toEqual([
      expect.stringMatching(
        /^set: 3 images as they were decoded before \(~\/cache\/images-[0-9a-f]{32}\.bin; --no-cache decodes anew\)$/,
      ),
    ]);
    expect(again).toEqual(fresh);
    const done: number[] = [];
    await read(all, { skipBad: true, onProgress: (files) => done.push(files) });
    expect(done).toEqual([]);
    await expect(read(all)).rejects.toThrow(/bad\.png/);
    expect(readdirSync(cache).every((name) => name.endsWith(".bin"))).toBe(true);
  });

  test("is not used for other content of the same size and time, nor once permissions are others", async () => {
    const file = write("again/1.png", pngOf(2, 2, 0, [1, 2, 3, 4]));
    utimesSync(file, 7, 7);
    await read([file]);
    // A clock of a hundredth of a second would not tell the times of both apart.
    await setTimeout(20);
    const other = pngOf(2, 2, 0, [4, 3, 2, 1]);
    expect(other.length).toBe(statSync(file).size);
    writeFileSync(file, other);
    utimesSync(file, 7, 7);
    expect(Array.from((await read([file])).pixels)).toEqual([4, 3, 2, 1]);
    await setTimeout(20);
    chmodSync(file, 0o400);
    await read([file]);
    expect(used()).toBe(false);
  });

  test("is not used for other files, times or settings", async () => {
    await read(paths);
    const settings = [
      { size },
      { size, fit: "contain" as const },
      { channels: 3 as const },
      { background: [0, 0, 0] as const },
    ];
    for (const other of settings) {
      await read(paths, other);
      expect(used(), JSON.stringify(other)).toBe(false);
    }
    await read(paths.slice(1));
    expect(used()).toBe(false);
    await read(paths);
    expect(used()).toBe(true);
    utimesSync(paths[0], 1, 1);
    await read(paths);
    expect(used()).toBe(false);
    writeFileSync(paths[0], png(2, 2, { scanlines: new Uint8Array(6) }));
    utimesSync(paths[0], 1, 1);
    expect(Array.from((await read(paths)).pixels.subarray(0, 4))).toEqual([0, 0, 0, 0]);
    await read(paths, { cache: false });
    expect(notices).toEqual([]);
  });

  test("damage anywhere is found, told and mended", async () => {
    const own = folder("cache-damage");
    const fresh = await read(paths, { folder: own });
    const file = join(own, readdirSync(own)[0]);
    const whole = readFileSync(file);
    const changes = [0, 20, 25, 60, whole.length - 40, whole.length - 1].map((place) => {
      const changed = Buffer.from(whole);
      changed[place] ^= 1;
      return changed;
    });
    for (const content of [...changes, whole.subarray(0, -1), whole.subarray(0, 10), Buffer.alloc(0)]) {
      writeFileSync(file, content);
      expect(await read(paths, { folder: own })).toEqual(fresh);
      expect(notices).toEqual([`set: ${file.replace(root, "~")} is damaged; the images are decoded anew`]);
      expect(readFileSync(file)).toEqual(whole);
    }
  });

  test("a folder that cannot be made is told of, and nothing is lost", async () => {
    const blocked = join(write("blocked", "a file"), "cache");
    const images = await read(paths, { folder: blocked });
    expect(images.kept.length).toBe(3);
    expect(notices).toEqual([
      `set: the decoded images cannot be kept in ~/blocked/cache (ENOTDIR); the next time they are decoded anew`,
    ]);
  });

  test("what was used longest ago goes when there is too much", async () => {
    const own = folder("cache-full");
    const names = ["a", "b", "c"].map((letter) => `images-${letter.repeat(32)}.bin`);
    for (const [index, name] of names.entries()) {
      write(`cache-full/${name}`, new Uint8Array(100));
      utimesSync(join(own, name), 1000 + index, 1000 + index);
    }
    const dead = write(`cache-full/${names[0]}.77.part`, "x");
    const writing = write(`cache-full/${names[1]}.78.part`, "x");
    utimesSync(dead, 1000, 1000);
    write("cache-full/subgroup-matrix.json", "another's");
    await trimCache(own, 250);
    expect(existsSync(dead)).toBe(false);
    expect(readdirSync(own).sort()).toEqual(
      [names[1], writing.slice(own.length + 1), names[2], "subgroup-matrix.json"].sort(),
    );
  });
});
