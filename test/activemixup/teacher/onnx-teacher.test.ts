import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  openOnnxTeacher,
  type Images,
  type OnnxSettings,
  type TeacherSettings,
} from "../../../src/activemixup/index.js";
import { InputError } from "../../../src/errors.js";
import { ledgerOf } from "./images.js";
import { encodeModel, type ElementType, type Graph, type Node } from "./onnx-model.js";

const CLASSES = 5;
const SHAPE = { channels: 2, height: 3, width: 4 };
const SIZE = 24;

let folder: string;
let models = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "activemixup-onnx-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function save(graph: Graph): string {
  const path = join(folder, `model-${++models}.onnx`);
  writeFileSync(path, encodeModel(graph));
  return path;
}

/** Numbers from -1 to 1 that repeat. */
function numbers(count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, at) => Math.fround(Math.sin(seed + 12.9898 * at)));
}

const weight = numbers(SIZE * CLASSES, 1);
const bias = numbers(CLASSES, 2);

interface Linear {
  readonly input?: readonly (number | string)[];
  readonly type?: ElementType;
  readonly output?: readonly (number | string)[];
  readonly tail?: "Softmax" | "ArgMax" | "Compress" | undefined;
}

/** A model of one matrix product; its weights are in the order of the flattened input. */
function linear({ input = ["N", 2, 3, 4], type = "float32", output = ["N", CLASSES], tail }: Linear = {}): Graph {
  const nodes: Node[] = [
    ...(type === "uint8" ? [{ op: "Cast", inputs: ["in"], output: "cast", attributes: { to: 1 } }] : []),
    { op: "Flatten", inputs: [type === "uint8" ? "cast" : "in"], output: "flat", attributes: { axis: 1 } },
    { op: "Gemm", inputs: ["flat", "w", "b"], output: tail ? "logits" : "out" },
  ];
  if (tail === "Softmax") nodes.push({ op: "Softmax", inputs: ["logits"], output: "out" });
  if (tail === "ArgMax") {
    nodes.push({ op: "ArgMax", inputs: ["logits"], output: "out", attributes: { axis: 1, keepdims: 0 } });
  }
  if (tail === "Compress") {
    // Keeps all columns, which nobody knows who only reads the model.
    nodes.push({ op: "Cast", inputs: ["ones"], output: "all", attributes: { to: 9 } });
    nodes.push({ op: "Compress", inputs: ["logits", "all"], output: "out", attributes: { axis: 1 } });
  }
  return {
    nodes,
    weights: {
      ones: { shape: [CLASSES], values: [1, 1, 1, 1, 1] },
      w: { shape: [SIZE, CLASSES], values: weight.map((value) => value / (type === "uint8" ? 255 : 1)) },
      b: { shape: [CLASSES], values: bias },
    },
    inputs: { in: { type, shape: input } },
    outputs: { out: tail === "ArgMax" ? { type: "int64", shape: ["N"] } : { type: "float32", shape: output } },
  };
}

const COUNT = 7;
const images: Images = {
  ...SHAPE,
  count: COUNT,
  pixels: Uint8Array.from({ length: COUNT * SIZE }, (_, at) => (at * 89 + Math.floor(at / SIZE) * 31) % 256),
};

/** Logits of an image whose pixels, C H W, stand for these numbers; `order` gives the pixel of each row of the weights. */
function logits(values: readonly number[], order = (row: number) => row): number[] {
  return bias.map((start, column) => {
    let sum = start;
    for (let row = 0; row < SIZE; row++) sum += values[order(row)] * weight[row * CLASSES + column];
    return sum;
  });
}

function softmax(values: readonly number[]): number[] {
  const powers = values.map((value) => Math.exp(value));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** The pixel, C H W, at a place of H W C. */
function fromHwc(place: number): number {
  const { channels, height, width } = SHAPE;
  return (place % channels) * height * width + Math.floor(place / channels);
}

function pixelsOf(image: number): number[] {
  return [...images.pixels.slice(image * SIZE, (image + 1) * SIZE)];
}

async function answersOf(graph: Graph, settings: TeacherSettings = {}): Promise<(Float32Array | string)[]> {
  const teacher = await openOnnxTeacher(save(graph), settings);
  try {
    return await ledgerOf(teacher).ledger.query(images);
  } finally {
    await teacher.dispose();
  }
}

/** Expects of each image the softmax of these logits. */
function expectLogits(answers: readonly (Float32Array | string)[], of: (image: number) => number[]): void {
  expect(answers.length).toBe(COUNT);
  for (const [image, answer] of answers.entries()) {
    const expected = softmax(of(image));
    for (const [at, value] of expected.entries()) expect(Math.abs(Number(answer[at]) - value)).toBeLessThan(1e-5);
  }
}

describe("OnnxTeacher", () => {
  it("gives the softmax of logits, from pixels 0 to 1, N C H W", async () => {
    expectLogits(await answersOf(linear()), (image) => logits(pixelsOf(image).map((pixel) => pixel / 255)));
  });

  it("reorders, scales and normalises as the settings say", async () => {
    const onnx: OnnxSettings = { layout: "NHWC", range: "0-255", mean: [120, 100], deviation: [60, 80] };
    const expected = (image: number) => {
      const values = pixelsOf(image).map((pixel, at) => (at < 12 ? (pixel - 120) / 60 : (pixel - 100) / 80));
      return logits(values, fromHwc);
    };
    expectLogits(await answersOf(linear({ input: ["N", 3, 4, 2] }), { onnx }), expected);
  });

  it("gives 8-bit numbers where the model takes them, in either order", async () => {
    const values = (image: number) => pixelsOf(image).map((pixel) => pixel / 255);
    expectLogits(await answersOf(linear({ type: "uint8" })), (image) => logits(values(image)));
    const onnx: OnnxSettings = { layout: "NHWC", range: "u8" };
    expectLogits(await answersOf(linear({ type: "uint8", input: ["N", 3, 4, 2] }), { onnx }), (image) =>
      logits(values(image), fromHwc),
    );
  });

  it("fills up a batch of fixed size", async () => {
    const graph = linear({ input: [3, 2, 3, 4], output: [3, CLASSES] });
    const expected = (image: number) => logits(pixelsOf(image).map((pixel) => pixel / 255));
    expectLogits(await answersOf(graph), expected);
    expectLogits(await answersOf(graph, { asking: { batch: 2 } }), expected);
  });

  it("takes flat images, and convolutions", async () => {
    const flat = (image: number) => logits(pixelsOf(image).map((pixel) => pixel / 255));
    expectLogits(await answersOf(linear({ input: ["N", SIZE] })), flat);
    const kernel = numbers(CLASSES * 2 * 9, 3);
    const graph: Graph = {
      nodes: [
        { op: "Conv", inputs: ["in", "k"], output: "c", attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] } },
        { op: "Relu", inputs: ["c"], output: "r" },
        { op: "GlobalAveragePool", inputs: ["r"], output: "out" },
      ],
      weights: { k: { shape: [CLASSES, 2, 3, 3], values: kernel } },
      inputs: { in: { type: "float32", shape: ["N", 2, "H", "W"] } },
      outputs: { out: { type: "float32", shape: ["N", CLASSES, 1, 1] } },
    };
    expectLogits(await answersOf(graph), (image) => convolve(pixelsOf(image), kernel));
  });

  it("takes probabilities and labels where the settings say so", async () => {
    const expected = (image: number) => logits(pixelsOf(image).map((pixel) => pixel / 255));
    const probabilities = await answersOf(linear({ tail: "Softmax" }), { answer: { form: "probabilities" } });
    expectLogits(probabilities, expected);
    const labels = await answersOf(linear({ tail: "ArgMax" }), { answer: { form: "label" }, classes: CLASSES });
    for (const [image, answer] of labels.entries()) {
      const values = expected(image);
      const best = values.indexOf(Math.max(...values));
      expect([...answer!]).toEqual(Array.from({ length: CLASSES }, (_, at) => (at === best ? 1 : 0)));
    }
  });

  it("finds the number of classes by running the model, where the model does not state it", async () => {
    const teacher = await openOnnxTeacher(save(linear({ output: ["N", "classes"], tail: "Compress" })));
    expect(teacher.classes).toBe(CLASSES);
    await teacher.dispose();
    const free = linear({ input: ["N", "C", "H", "W"], output: ["N", "classes"], tail: "Compress" });
    await expect(openOnnxTeacher(save(free))).rejects.toThrow("does not tell its number of classes; set classes");
    expectLogits(await answersOf(free, { classes: CLASSES }), (image) =>
      logits(pixelsOf(image).map((pixel) => pixel / 255)),
    );
  });

  it("has a name that tells the file and what changes its answers", async () => {
    const path = save(linear());
    const nameOf = async (settings: TeacherSettings, of = path) => {
      const teacher = await openOnnxTeacher(of, settings);
      await teacher.dispose();
      return teacher.name;
    };
    const plain = await nameOf({});
    expect(plain).toMatch(/^onnx:model-\d+\.onnx:[0-9a-f]{16}:[0-9a-f]{8}$/);
    expect(await nameOf({ asking: { batch: 3 } })).toBe(plain);
    expect(await nameOf({ onnx: { range: "0-255" } })).not.toBe(plain);
    expect(await nameOf({ name: "mine" })).toBe("mine");
    const other = save({
      ...linear(),
      weights: { ...linear().weights, b: { shape: [CLASSES], values: [1, 2, 3, 4, 5] } },
    });
    expect((await nameOf({}, other)).split(":")[2]).not.toBe(plain.split(":")[2]);
  });

  it("costs nothing, and stops when it is told to", async () => {
    const teacher = await openOnnxTeacher(save(linear()));
    expect(teacher.manner).toMatchObject({ charges: false, concurrency: 1, batch: 64 });
    const query = { ...images, ids: [] };
    await expect(teacher.query(query, AbortSignal.abort(new Error("interrupted")))).rejects.toThrow("interrupted");
    expect((await teacher.query(query)).length).toBe(COUNT);
    await teacher.dispose();
    await expect(teacher.query(query)).rejects.toThrow("was disposed");
  });

  it("refuses what does not fit together", async () => {
    const refusal = async (graph: Graph | string, settings: TeacherSettings = {}) => {
      const path = typeof graph === "string" ? graph : save(graph);
      const error: unknown = await answersOfPath(path, settings).then(
        () => "no error",
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(InputError);
      return (error as Error).message.replaceAll(path, "PATH").replaceAll(/model-\d+\.onnx:\w+:\w+/g, "MODEL");
    };
    const answersOfPath = async (path: string, settings: TeacherSettings) => {
      const teacher = await openOnnxTeacher(path, settings);
      try {
        await ledgerOf(teacher).ledger.query(images);
      } finally {
        await teacher.dispose();
      }
    };
    const two: Graph = { ...linear({ tail: "Softmax" }) };
    const both: Graph = { ...two, outputs: { ...two.outputs, logits: { type: "float32", shape: ["N", CLASSES] } } };
    const unnamed: Graph = { ...two, outputs: { ...two.outputs, flat: { type: "float32", shape: ["N", SIZE] } } };
    const text = join(folder, "text.onnx");
    writeFileSync(text, "no model");
    expect({
      missing: (await refusal(join(folder, "none.onnx"))).replace(/ENOENT.*;/, "ENOENT …;"),
      text: (await refusal(text)).replace(/: [^:]*; check/, ": …; check"),
      size: await refusal(linear({ input: ["N", 1, 4, 6] })),
      layout: await refusal(linear({ input: ["N", 3, 4, 2] })),
      mean: await refusal(linear(), { onnx: { mean: [1, 2, 3] } }),
      deviation: await refusal(linear(), { onnx: { deviation: [1, 0] } }),
      range: await refusal(linear({ type: "uint8" }), { onnx: { range: "0-1" } }),
      eightBits: await refusal(linear({ type: "uint8" }), { onnx: { mean: [1, 2] } }),
      outputs: await refusal(unnamed),
      input: await refusal(linear(), { onnx: { input: "image" } }),
      type: await refusal({
        ...linear(),
        inputs: { in: { type: "float16", shape: ["N", 2, 3, 4] } },
        outputs: { out: { type: "float16", shape: ["N", CLASSES] } },
        nodes: [{ op: "Flatten", inputs: ["in"], output: "out", attributes: { axis: 1 } }],
        weights: {},
      }),
      probabilities: await refusal(linear({ tail: "Softmax" })),
      logits: (await refusal(linear(), { answer: { form: "probabilities" } }))
        .replace(/query \w+/g, "QUERY")
        .replace(/-?\d\.\d+/, "NUMBER"),
      top: await refusal(linear(), { answer: { form: "top" } }),
      classes: await refusal(linear(), { classes: 3 }),
      label: await refusal(linear({ tail: "ArgMax" }), { answer: { form: "label" } }),
    }).toMatchInlineSnapshot(`
      {
        "classes": "onnx:PATH states classes 5, its settings 3; make the two agree",
        "deviation": "onnx:PATH: onnx.deviation is 1, 0; expected numbers above 0",
        "eightBits": "onnx:PATH: its input in is uint8, which onnx.mean and onnx.deviation cannot change",
        "input": "onnx:PATH: has no input image, but in; set onnx.input to one of them",
        "label": "onnx:PATH does not tell its number of classes; set classes or classNames in its settings",
        "layout": "the teacher onnx:PATH takes any × 3 × 4 × 2 at its input in, read as NCHW; these are 2 × 3 × 4 (channels, height, width): give images of the teacher's size (image files: --size 4x2 --channels 3), or set onnx.layout",
        "logits": "the teacher onnx:MODEL gave no answer to QUERY in 1 attempt: the score of class 0 is NUMBER; expected 0 or more; mend the teacher, or leave such images out (--skip-unanswered), then go on from what is kept (distill --resume)",
        "mean": "the teacher onnx:PATH: onnx.mean has 3 numbers for 2 channels; these are 2 × 3 × 4",
        "missing": "onnx:PATH: cannot be read: ENOENT …; check the path",
        "outputs": "onnx:PATH: has 2 outputs: out, flat; set onnx.output to one of them",
        "probabilities": "onnx:MODEL: its output out is probabilities already, and logits were expected; set answer.form to probabilities (or to logits, if they only look so)",
        "range": "onnx:PATH: its input in is uint8, and onnx.range is 0-1; make the two agree",
        "size": "the teacher onnx:PATH takes any × 1 × 4 × 6 at its input in, read as NCHW; these are 2 × 3 × 4 (channels, height, width): give images of the teacher's size (image files: --size 4x6 --channels 1), or set onnx.layout",
        "text": "onnx:PATH: ONNX Runtime cannot load it: Load model from PATH failed:Protobuf parsing failed.; check the file",
        "top": "onnx:PATH: answer.form top is not for a model's output; use logits, probabilities or label",
        "type": "onnx:PATH: its input in is float16; expected float32 or uint8",
      }
    `);
    // Named, or taken for its name.
    for (const settings of [{ onnx: { output: "logits" } }, {}]) {
      expectLogits(await answersOf(both, settings), (image) => logits(pixelsOf(image).map((pixel) => pixel / 255)));
    }
  });
});

/** Mean over the image of the positive part of a 3 × 3 convolution with a border of zeros, of pixels 0 to 1. */
function convolve(pixels: readonly number[], kernel: readonly number[]): number[] {
  const { channels, height, width } = SHAPE;
  return Array.from({ length: CLASSES }, (_, filter) => {
    let total = 0;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let channel = 0; channel < channels; channel++) {
          for (let tap = 0; tap < 9; tap++) {
            const row = y + Math.floor(tap / 3) - 1;
            const column = x + (tap % 3) - 1;
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            const pixel = pixels[(channel * height + row) * width + column] / 255;
            sum += pixel * kernel[(filter * channels + channel) * 9 + tap];
          }
        }
        total += Math.max(0, sum);
      }
    }
    return total / (height * width);
  });
}
