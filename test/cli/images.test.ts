import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestPixels, type RunConfig } from "../../cli/distill/config.js";
import { parseExperiment, rowOptions, teacherOptions } from "../../cli/experiment/file.js";
import type { Summary } from "../../cli/distill/summary.js";
import type { TrainResult } from "../../cli/train/train.js";
import { openImageSet, subset } from "../../src/data/index.js";
import { temporaryFolder } from "../data/fixtures.js";
import { cli } from "./cli.js";

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.root, ...names);
const plain = (text: string) => text.replaceAll(folder.root, "~");
const photos = at("photos");
const cacheHome = process.env.XDG_CACHE_HOME;
const sized = ["--size", "12x14", "--channels", "1"];

/** JPEG and WebP photographs of several sizes, in two classes, and a broken file; a little lighter for tests. */
beforeAll(async () => {
  process.env.XDG_CACHE_HOME = at("cache");
  for (const split of ["train", "test"]) {
    for (const [label, name] of ["dark", "light"].entries()) {
      for (let i = 0; i < 12; i++) {
        const level = 40 + 150 * label + 5 * i + (split === "test" ? 2 : 0);
        // Dark on the left, so that it matters how it is brought to a size.
        const pixels = Uint8Array.from({ length: (20 + i) * 30 }, (_, at) => (at % 30 < 10 ? level >> 1 : level));
        const picture = sharp(pixels, { raw: { height: 20 + i, width: 30, channels: 1 } }).toColourspace("srgb");
        const kind = i % 2 ? "webp" : "jpeg";
        folder.write(`photos/${split}/${name}/${10 + i}.${kind}`, await picture.toFormat(kind).toBuffer());
      }
    }
  }
  folder.write("photos/test/light/99.jpg", "no image");
  folder.write("photos/train/notes.txt", "left out");
  const { code, stderr } = await train("teacher", ...sized, "--skip-bad");
  expect(code, stderr).toBe(0);
});

afterAll(() => {
  if (cacheHome === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = cacheHome;
});

const train = (out: string, ...more: string[]) =>
  cli(
    "train",
    ...["--data", `${photos}:train`, "--test", `${photos}:test`, "--model", "lenet5", "--epochs", "1", "--crop", "0"],
    ...["--device", "cpu", "--out", at(`${out}.safetensors`), "--json", ...more],
  );

describe("train", () => {
  it("brings photographs to a size, lists what it left out, and says that the cache was used", async () => {
    const { code, stdout, stderr } = await train("again", ...sized, "--skip-bad");
    expect(code).toBe(0);
    const { images, unreadable } = JSON.parse(stdout) as TrainResult;
    expect(images).toBe(24);
    expect(unreadable?.map(({ file, reason }) => [plain(file), plain(reason)])).toEqual([
      [
        "~/photos/test/light/99.jpg",
        "~/photos/test/light/99.jpg: its name says JPEG, but its content is not; convert it to JPEG or remove it",
      ],
    ]);
    expect(plain(stderr)).toContain("~/photos:train: left out 1 file that is no image (1 .txt)\n");
    expect(plain(stderr)).toMatch(
      /~\/photos:train: 24 images as they were decoded before \(~\/cache\/activemixup\/images-/,
    );
    expect(plain(stderr)).toContain("~/photos:test: left out 1 of 25 images, which cannot be read:\n");
    const anew = await train("anew", ...sized, "--skip-bad", "--no-cache");
    expect(anew.stderr).not.toContain("decoded before");
    expect(anew.stderr).toMatch(/reading \S*photos:train \[#+\] 100% 24\/24 images/);
    expect(readFileSync(at("anew.safetensors"))).toEqual(readFileSync(at("again.safetensors")));
  });

  it("says in one line which sizes there are, which files are broken, and what to do", async () => {
    const sizes = await train("none");
    expect(sizes.code).toBe(2);
    expect(plain(sizes.stderr)).toMatch(
      /^error: ~\/photos:train: images of 12 sizes, height by width \(2 of 20x30 as .*\), expected one; give --size, for example --size 32, to bring all to one\n$/m,
    );
    const broken = await train("none", ...sized, "--quiet");
    expect(broken).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(
        /^error: \S*\/99\.jpg: its name says JPEG, .*; --skip-bad leaves such files out\n$/,
      ) as string,
    });
  });

  it.each([
    [["--size", "0"], "--size <size>' argument '0' is invalid. expected pixels from 1 to 4096"],
    [["--size", "32x"], "expected pixels from 1 to 4096, for example 32, or height by width, 32x48."],
    [["--size", "5000"], "expected pixels from 1 to 4096"],
    [["--channels", "2"], "expected 1 (grey) or 3 (red, green, blue)."],
    [["--fit", "crop"], "Allowed choices are cover, contain, stretch."],
    [["--fit", "cover"], "--fit cover says how images are brought to --size, which is missing; give it too"],
    [["--background", "blue"], "expected white, black, or red, green and blue as #rrggbb, for example #808080."],
    [
      ["--size", "6", "--channels", "1", "--skip-bad", "--model", "vgg16"],
      "; give larger images (--size brings a folder of them to a size), or another network",
    ],
  ])("refuses %s", async (more, message) => {
    const { code, stdout, stderr } = await train("none", ...more, "--quiet");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});

describe("evaluate", () => {
  const evaluate = (...more: string[]) =>
    cli(
      "evaluate",
      ...["--model", at("teacher.safetensors"), "--data", `${photos}:test`, "--device", "cpu", "--json", "--skip-bad"],
      ...more,
    );

  it("takes the same options, and names those that the network needs", async () => {
    const { code, stdout, stderr } = await evaluate(...sized, "--fit", "contain", "--background", "#000000");
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ images: 24, unreadable: [{ file: at("photos/test/light/99.jpg") }] });
    const other = await evaluate("--size", "12");
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("give images of the network's size (--size 12x14 --channels 1)");
  });
});

describe("distill", () => {
  const read = <T>(name: string) => JSON.parse(readFileSync(at("run", name), "utf8")) as T;

  it("keeps the options and what was left out, and goes on with the same pixels", async () => {
    const { code, stdout, stderr } = await cli(
      "distill",
      ...["--images", `${photos}:train`, "--test", `${photos}:test`, "--teacher", at("teacher.safetensors")],
      ...["--student", "lenet5-half", "--n", "10", "--budget", "20", "--rounds", "1", "--steps", "3", "--batch", "4"],
      ...[...sized, "--fit", "stretch", "--background", "black", "--skip-bad", "--crop", "0"],
      ...["--device", "cpu", "--out", at("run"), "--json"],
    );
    expect(code, stderr).toBe(0);
    expect((JSON.parse(stdout) as Summary).unreadable).toHaveLength(1);
    const { options, unreadable, pixels, chosen } = read<RunConfig>("config.json");
    const size = { height: 12, width: 14 };
    expect(options).toMatchObject({ size, channels: 1, fit: "stretch", background: [0, 0, 0], skipBad: true });
    expect(unreadable).toHaveLength(1);
    const settings = { size, channels: 1, fit: "stretch", background: [0, 0, 0], skipBad: true } as const;
    const [all, test] = await Promise.all(
      ["train", "test"].map((split) => openImageSet(`${photos}:${split}`, settings)),
    );
    expect(pixels).toBe(digestPixels(subset(all, chosen), test));
    const covered = await openImageSet(`${photos}:train`, { ...settings, fit: "cover" });
    expect(digestPixels(covered)).not.toBe(digestPixels(all));
    // As if it had been stopped before it could say that it is finished.
    const { stopped, ...summary } = read<Summary>("summary.json");
    expect(stopped).toBe("plan");
    writeFileSync(at("run", "summary.json"), JSON.stringify(summary));
    const resumed = await cli("distill", "--resume", at("run"), "--device", "cpu", "--json");
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toContain("going on after round 1");
    expect(read<RunConfig>("config.json").pixels).toBe(pixels);
    // Other settings would be other pixels.
    writeFileSync(at("run", "summary.json"), JSON.stringify(summary));
    const config = read<RunConfig>("config.json");
    writeFileSync(at("run", "config.json"), JSON.stringify({ ...config, options: { ...options, fit: "contain" } }));
    const other = await cli("distill", "--resume", at("run"), "--device", "cpu", "--quiet");
    expect(other).toMatchObject({ code: 2, stdout: "" });
    expect(other.stderr).toContain("hold other images than when the run began; put those back");
  });
});

describe("test images", () => {
  it("are not those that are trained on, however they are called", async () => {
    const where = join(photos, "train");
    const images = [...sized, "--skip-bad", "--device", "cpu", "--quiet", "--out", at("never")];
    for (const args of [
      ["train", "--data", `${photos}:train`, "--model", "lenet5-half"],
      ["distill", "--images", `${photos}:train`, "--teacher", at("teacher.safetensors"), "--student", "lenet5-half"],
    ]) {
      const distill = args[0] === "distill" ? ["--n", "10", "--budget", "20"] : [];
      const { code, stderr } = await cli(...args, ...distill, "--test", where, ...images);
      expect([code, stderr]).toEqual([
        2,
        expect.stringMatching(/^error: --test .*photos\/train (is|holds the images that are) trained on/),
      ]);
    }
    expect(existsSync(at("never"))).toBe(false);
  });
});

describe("files of experiments", () => {
  it("say the same, for the teacher and for rows", () => {
    const images = { size: "12x14", fit: "contain", channels: 1, background: "#010203", skipBad: true, cache: false };
    const experiment = parseExperiment(
      {
        ...{ title: "a", about: "b", data: "photos", seeds: [0] },
        teacher: { model: "lenet5", ...images },
        common: { student: "lenet5-half", n: 10, budget: 20, ...images },
        rows: [{ name: "square", size: 12 }],
      },
      "a.json",
    );
    const places = { train: "photos:train", test: "photos:test", out: "out", teacher: "teacher.safetensors" };
    const options = { fit: "contain", channels: 1, background: [1, 2, 3], skipBad: true, cache: false };
    expect(teacherOptions(experiment, places).options).toMatchObject({ ...options, size: { height: 12, width: 14 } });
    const row = rowOptions(experiment, experiment.rows[0], 0, places);
    expect(row.options).toMatchObject({ ...options, size: { height: 12, width: 12 } });
    expect(row.words.join(" ")).toContain(
      "--size 12 --fit contain --channels 1 --background #010203 --skip-bad --no-cache",
    );
  });
});
