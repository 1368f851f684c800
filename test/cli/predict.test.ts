import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { csvLine } from "../../cli/predict/csv.js";
import { Predictions } from "../../cli/predict/predictions.js";
import { decodeNetwork, encodeState, Network, Predictor } from "../../src/nn/index.js";
import { CpuDevice } from "../../src/tensor/index.js";
import { drawDigits } from "../../src/data/index.js";
import { pngOf, temporaryFolder } from "../data/fixtures.js";
import { cli, writeDigits } from "./cli.js";

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.root, ...names);
const SIDE = 12;
const model = at("model.safetensors");
const colours = at("colours.safetensors");
const labels = ["a", "b, c", 'd "e"', "f"];
const COUNT = 20;
const { pixels } = drawDigits(COUNT, 9, { size: SIDE });
const own = (image: number) => [...pixels.slice(image * SIDE * SIDE, (image + 1) * SIDE * SIDE)];
let inColours: Float32Array;
let expected: { labels: Uint32Array; probabilities: Float32Array };

const predict = (...args: string[]) => cli("predict", "--model", model, "--device", "cpu", "--quiet", ...args);
const mistake = async (...args: string[]) => {
  const { code, stdout, stderr } = await predict(...args);
  expect([code, stdout]).toEqual([2, ""]);
  return stderr.replaceAll(folder.root, "FOLDER");
};

interface Answer {
  images: number;
  predictions: { image: string; guesses: { class: number; label: string; probability: number }[] }[];
}

beforeAll(async () => {
  const device = new CpuDevice();
  for (const [path, channels] of [[model, 1] as const, [colours, 3] as const]) {
    const scale = new Array<number>(channels).fill(0.5);
    const image = { channels, height: SIDE, width: SIDE };
    const spec = { architecture: "lenet5-half", image, classes: 4, mean: scale, deviation: scale };
    const network = new Network(device, spec, 1);
    const file = encodeState({ ...spec, ...(channels === 1 ? { classNames: labels } : {}) }, await network.state());
    folder.write(path.slice(folder.root.length + 1), file);
    const predictor = await Predictor.create(decodeNetwork(file, path, device), COUNT);
    if (channels === 1) expected = await predictor.predict(pixels);
    // The first image as grey in colours.
    else inColours = (await predictor.predict(Uint8Array.from([...own(0), ...own(0), ...own(0)]))).probabilities;
  }
  device.destroy();
  // In subfolders, of names that sort otherwise than they were made.
  for (let image = 0; image < COUNT; image++) {
    folder.write(`${image % 2 ? "images/odd" : "elsewhere"}/${COUNT - image}.png`, pngOf(SIDE, SIDE, 0, own(image)));
  }
  symlinkSync(at("elsewhere"), at("images", "even"));
  folder.write("images/notes.txt", "no image");
  folder.write("images/.hidden/x.png", pngOf(1, 1, 0, [0]));
  writeDigits(folder.root, 3, 5, SIDE);
});

describe("predict", () => {
  it("tells each image's likeliest classes, sorted by path, as the network has them", async () => {
    const { code, stdout, stderr } = await predict(at("images"), "--json", "--top", "2");
    expect(code, stderr).toBe(0);
    const { images, predictions } = JSON.parse(stdout) as Answer;
    expect(images).toBe(COUNT);
    const paths = predictions.map(({ image }) => image);
    expect(paths).toEqual([...paths].sort());
    for (const { image, guesses } of predictions) {
      const number = COUNT - Number(/(\d+)\.png$/.exec(image)![1]);
      const row = [...expected.probabilities.slice(number * 4, number * 4 + 4)];
      const order = [0, 1, 2, 3].sort((a, b) => row[b] - row[a]);
      expect(guesses.map((guess) => guess.class)).toEqual(order.slice(0, 2));
      expect(guesses.map(({ label }) => label)).toEqual(order.slice(0, 2).map((label) => labels[label]));
      for (const guess of guesses) expect(guess.probability).toBeCloseTo(row[guess.class], 5);
    }
  });

  it("takes files in the order given, a hundred times the same", async () => {
    const files = [at("images", "odd", "1.png"), at("images", "even", "20.png")];
    const many = Array.from({ length: 50 }, () => files).flat();
    const { stdout } = await predict(...many, "--csv", "--top", "1");
    const lines = stdout.split("\r\n");
    expect(lines[0]).toBe("image,label_1,probability_1");
    expect(lines.slice(1, -1).map((line) => line.slice(0, line.indexOf(",")))).toEqual(many);
  });

  it("takes data sets, and writes to a file by its ending", async () => {
    const out = at("out", "digits.csv");
    const { code, stdout } = await predict(`${folder.root}:test`, "--out", out, "--top", "9");
    expect([code, stdout]).toEqual([0, `${out}: 5 images\n`]);
    const lines = readFileSync(out, "utf8").split("\r\n");
    expect(lines.length).toBe(7);
    expect(lines[0].split(",").length).toBe(1 + 2 * 4);
    expect(lines[5]).toMatch(/^#4,/);
    expect(lines[5]).toContain(',"b, c",');
    expect(lines[5]).toContain(',"d ""e""",');
    const neither = await predict(`${folder.root}:test`, "--out", at("neither.json"), "--csv");
    expect(neither).toMatchObject({ code: 2, stdout: "" });
    expect(neither.stderr).toContain("--csv is of no account to --out ");
    expect(existsSync(at("neither.json"))).toBe(false);
    const told = await predict(`${folder.root}:test`, "--out", out, "--top", "9", "--json");
    expect(JSON.parse(told.stdout)).toMatchObject({ images: 5, out });
    expect(readFileSync(out, "utf8").split("\r\n")).toEqual(lines);
    const both = await predict(`${folder.root}:test`, `${folder.root}:train`, "--out", at("both.json"), "--json");
    expect(JSON.parse(both.stdout)).toMatchObject({ images: 8, out: at("both.json") });
    const { predictions } = JSON.parse(readFileSync(at("both.json"), "utf8")) as Answer;
    expect(predictions[7].image).toBe(`${folder.root}:train#2`);
  });

  it("shows a line an image, and names of one's own", async () => {
    const names = folder.write("names.txt", "null\neins\nzwei\ndrei\n");
    const { stdout } = await predict(at("images", "odd", "1.png"), "--labels", names);
    const best = ["null", "eins", "zwei", "drei"][expected.labels[COUNT - 1]];
    expect(stdout.startsWith(`${at("images", "odd", "1.png")}  ${best} `)).toBe(true);
    expect(stdout).toMatch(/^\S+( {2}\w+ \d+\.\d\d%){3}\n$/);
  });

  it("gives grey images to a network for colours, and numbers where there are no names", async () => {
    const image = at("images", "even", `${COUNT}.png`);
    const { code, stdout } = await cli("predict", "--model", colours, "--device", "cpu", "--quiet", image, "--json");
    expect(code).toBe(0);
    const [{ guesses }] = (JSON.parse(stdout) as Answer).predictions;
    for (const guess of guesses) {
      expect(guess.label).toBe(String(guess.class));
      expect(guess.probability).toBeCloseTo(inColours[guess.class], 5);
    }
  });

  it("says what it cannot read, before anything is written", async () => {
    const image = at("images", "odd", "1.png");
    mkdirSync(at("empty"));
    const broken = folder.write("broken.png", pngOf(SIDE, SIDE, 0, own(0)).slice(0, 60));
    const out = at("never.csv");
    for (const [wrong, message] of [
      [at("missing.png"), /missing\.png: there is no file or folder .*check the path$/],
      [at("empty"), /empty: holds no PNG, JPEG or WebP images, nor do its subfolders/],
      [broken, /broken\.png: the PNG ends after 60 bytes .* get it again/],
    ] as const) {
      expect((await mistake(image, wrong, "--out", out)).trim()).toMatch(message);
      expect(existsSync(out)).toBe(false);
    }
    expect(await mistake(image, "--labels", folder.write("two.txt", "a\nb\n"))).toMatchInlineSnapshot(`
      "error: --labels names 2 classes; FOLDER/model.safetensors has 4: name each of them
      "
    `);
    expect(await mistake(image, "--csv", "--json")).toMatchInlineSnapshot(`
      "error: option '--csv' cannot be used with option '--json'
      "
    `);
    const [two, device] = [at("two-channels.safetensors"), new CpuDevice()];
    const image2 = { channels: 2, height: SIDE, width: SIDE };
    const spec = { architecture: "lenet5-half", image: image2, classes: 4, mean: [0.5, 0.5], deviation: [1, 1] };
    folder.write("two-channels.safetensors", encodeState(spec, await new Network(device, spec, 1).state()));
    const { code, stdout, stderr } = await cli("predict", "--model", two, image, "--device", "cpu", "--quiet");
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr.replaceAll(folder.root, "FOLDER")).toBe(
      "error: FOLDER/two-channels.safetensors takes images of 2 channels, and image files are read as 1 or 3; " +
        "give a network for such images\n",
    );
    expect(await mistake()).toMatchInlineSnapshot(`
      "error: missing required argument 'images'
      "
    `);
  });

  it("does not write over what it reads", async () => {
    const image = folder.write("read/a.png", pngOf(SIDE, SIDE, 0, own(0)));
    const kept = readFileSync(image);
    const labels = folder.write("read/labels.txt", "a\nb\nc\nd\n");
    for (const [input, out] of [
      [image, image],
      [at("read"), image],
      [image, at("model.safetensors")],
      [image, labels],
    ]) {
      expect(await mistake(input, "--labels", labels, "--out", out)).toMatch(
        /^error: --out .* is an input of this com/,
      );
    }
    expect(readFileSync(image).equals(kept)).toBe(true);
    // Beside them it may.
    expect((await predict(at("read"), "--out", at("read", "told.csv"))).code).toBe(0);
    expect((await predict(at("read"), "--out", at("read", "told.csv"))).code).toBe(0);
  });

  it("brings images of other sizes and in colours to the network's", async () => {
    const twice = own(2).flatMap((value) => [value, value]);
    const rows = Array.from({ length: SIDE }, (_, row) => twice.slice(row * 2 * SIDE, (row + 1) * 2 * SIDE));
    // Each pixel as four; the middle of a picture with something to either side.
    const large = rows.flatMap((row) => [row, row]);
    const wide = large.map((row) => [
      ...new Array<number>(SIDE).fill(200),
      ...row,
      ...new Array<number>(SIDE).fill(200),
    ]);
    const asIs = folder.write("sizes/0.png", pngOf(SIDE, SIDE, 0, own(2)));
    const colours = folder.write(
      "sizes/1.png",
      pngOf(
        SIDE,
        SIDE,
        2,
        own(2).flatMap((value) => [value, value, value]),
      ),
    );
    const larger = folder.write("sizes/2.png", pngOf(2 * SIDE, 2 * SIDE, 0, large.flat()));
    const wider = folder.write("sizes/3.png", pngOf(2 * SIDE, 4 * SIDE, 0, wide.flat()));
    const probabilities = async (...args: string[]) => {
      const { code, stdout, stderr } = await predict(...args, "--json", "--top", "4");
      expect(code, stderr).toBe(0);
      return (JSON.parse(stdout) as Answer).predictions.map(({ guesses }) =>
        guesses.sort((a, b) => a.class - b.class).map(({ probability }) => probability),
      );
    };
    const [same, grey, half, middle] = await probabilities(asIs, colours, larger, wider);
    expect(grey).toEqual(same);
    const [stretched] = await probabilities(wider, "--fit", "stretch");
    // Resampling rounds; another part of the picture is another thing.
    const distance = (other: number[]) => Math.max(...other.map((value, at) => Math.abs(value - same[at])));
    expect(distance(stretched)).toBeGreaterThan(0.002);
    expect(distance(half)).toBeLessThan(0.2 * distance(stretched));
    expect(distance(middle)).toBeLessThan(0.2 * distance(stretched));
  });

  it("leaves out broken files where it is told to, and lists them", async () => {
    const broken = ["1.png", "3.png"].map((name) => folder.write(`some/${name}`, "no image"));
    const whole = folder.write("some/2.png", pngOf(SIDE, SIDE, 0, own(0)));
    const { code, stdout } = await predict(at("some"), "--json", "--skip-bad");
    const answer = JSON.parse(stdout) as Answer & { unreadable: { file: string }[] };
    expect([code, answer.images]).toEqual([0, 1]);
    expect(answer.predictions.map(({ image }) => image)).toEqual([whole]);
    expect(answer.unreadable.map(({ file }) => file)).toEqual(broken);
  });

  it("of several broken files names the first", async () => {
    const broken = ["1.png", "2.png", "3.png"].map((name) => folder.write(`several/${name}`, "no image"));
    expect(await mistake(...broken)).toContain("several/1.png");
  });
});

describe("CSV", () => {
  it("is quoted as RFC 4180 has it", () => {
    expect(csvLine(["plain", "", "a,b", 'say "x"', "two\nlines", "cr\r"])).toBe(
      'plain,,"a,b","say ""x""","two\nlines","cr\r"\r\n',
    );
  });
});

describe("the likeliest classes", () => {
  it("come largest first, of equals the first, over batches", () => {
    const predictions = new Predictions(2, undefined);
    predictions.add(["x", "y"], Float32Array.of(0.25, 0.25, 0.5, 0.4, 0.4, 0.2));
    predictions.add(["z"], Float32Array.of(0, 0, 1));
    expect(
      [...predictions.rows()].map(({ image, guesses }) => [image, ...guesses.map((guess) => guess.class)]),
    ).toEqual([
      ["x", 2, 0],
      ["y", 0, 1],
      ["z", 2, 0],
    ]);
  });
});
