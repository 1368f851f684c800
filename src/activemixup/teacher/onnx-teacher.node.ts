import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { InputError } from "../../errors.js";
import { onnxClassNames, type ImageShape } from "../../nn/index.js";
import { readAnswer, type AnswerForm, type AnswerReading } from "./answer-form.js";
import { checkAnswer } from "./check-answer.js";
import { describeInput, fillInput, type OnnxInput } from "./onnx-input.js";
import { orAborted } from "./or-aborted.js";
import { answerReading, askingManner, refuseUnheeded, settingsOfHttp } from "./reading.js";
import type { TeacherSettings } from "./settings.js";
import { AnswerFault, localManner, TeacherFault, type Answer, type AskingManner, type QueryBatch } from "./teacher.js";
import type { Teacher } from "./teacher.js";

type Runtime = typeof import("onnxruntime-node");
type Value = InferenceSession.ValueMetadata;

/** Of a model in this process: batches that large images fit in memory with. */
const onnxManner: AskingManner = { ...localManner, batch: 64 };

/** An ONNX model, run by ONNX Runtime on the CPU, in the role of the teacher. */
export class OnnxTeacher implements Teacher {
  readonly manner: AskingManner;
  private running: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly name: string,
    private readonly runtime: Runtime,
    private readonly session: InferenceSession,
    private readonly input: OnnxInput,
    private readonly output: string,
    private readonly reading: AnswerReading,
    /** Whether the user said what the model's numbers are. */
    private readonly formStated: boolean,
    asking: TeacherSettings["asking"],
  ) {
    this.manner = askingManner(name, onnxManner, asking);
  }

  /** @throws InputError where the file, the settings and the model do not fit together */
  static async open(path: string, settings: TeacherSettings): Promise<OnnxTeacher> {
    const where = `onnx:${path}`;
    refuseUnheeded(where, settings, settingsOfHttp);
    const runtime = await loadRuntime(path);
    const bytes = await readModel(path);
    const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
    const session = await runtime.InferenceSession.create(path, { logSeverityLevel: 3 }).catch((error: unknown) => {
      throw new InputError(`${where}: ONNX Runtime cannot load it: ${firstLine(error)}; check the file`);
    });
    try {
      const { onnx = {}, answer = {} } = settings;
      const input = describeInput(where, choose(where, "input", session.inputMetadata, onnx.input), onnx);
      const usual = answer.form === "probabilities" ? "probabilities" : "logits";
      const output = choose(where, "output", session.outputMetadata, onnx.output, usual);
      if (answer.form === "top") {
        throw new InputError(
          `${where}: answer.form top is not for a model's output; use logits, probabilities or label`,
        );
      }
      const classes =
        answer.form === "label" ? undefined : (statedClasses(output) ?? (await probe(runtime, session, input, output)));
      const classNames = await onnxClassNames(bytes, where);
      const reading = answerReading(where, { classes, classNames }, settings, "logits");
      const said = createHash("sha256").update(JSON.stringify([onnx, answer, reading]));
      const name = settings.name ?? `onnx:${basename(path)}:${digest}:${said.digest("hex").slice(0, 8)}`;
      const formStated = answer.form !== undefined;
      return new OnnxTeacher(name, runtime, session, input, output.name, reading, formStated, settings.asking);
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  get classes(): number {
    return this.reading.classes;
  }

  get form(): AnswerForm {
    return this.reading.form;
  }

  get classNames(): readonly string[] | undefined {
    return this.reading.classNames;
  }

  /** @throws InputError where the model does not take images of this shape. */
  checkShape(images: ImageShape): void {
    this.input.check(images);
  }

  /**
   * Runs the model, as often as its batch dimension asks for.
   * @throws InputError where the images, the settings and the model do not fit together
   */
  async query(batch: QueryBatch, signal?: AbortSignal): Promise<Answer[]> {
    this.checkShape(batch);
    // One after the other: the runtime has its own threads for each.
    const running = this.running.then(() => this.run(batch, signal));
    this.running = running.catch(() => undefined);
    return orAborted(running, signal);
  }

  /** Waits for what is under way, which cannot be stopped, and frees the model. */
  async dispose(): Promise<void> {
    await this.running;
    this.running = Promise.reject(new Error(`the teacher ${this.name} was disposed`));
    this.running.catch(() => undefined);
    await this.session.release();
  }

  private async run(batch: QueryBatch, signal?: AbortSignal): Promise<Answer[]> {
    const answers: Answer[] = [];
    const step = this.input.batch ?? batch.count;
    for (let first = 0; first < batch.count; first += step) {
      signal?.throwIfAborted();
      const count = Math.min(step, batch.count - first);
      answers.push(...(await this.runOnce(batch, first, count, step)));
    }
    return answers;
  }

  /** Answers to `count` images from `first` on; `rows` is the batch that the model takes. */
  private async runOnce(batch: QueryBatch, first: number, count: number, rows: number): Promise<Answer[]> {
    const tensor = inputTensor(this.runtime, this.input, batch, first, count, rows);
    const numbers = await outputNumbers(this.session, this.input, this.output, tensor);
    const { form, classes } = this.reading;
    const width = form === "label" ? 1 : classes;
    if (numbers.length !== rows * width) {
      throw new TeacherFault(
        `output ${this.output} has ${numbers.length} numbers; expected ${rows * width} for ${rows} images`,
        false,
      );
    }
    const own = Array.from({ length: count }, (_, row) => numbers.slice(row * width, (row + 1) * width));
    if (form === "logits" && !this.formStated) this.refuseProbabilities(own);
    return own.map((row) => readAnswer(form === "label" ? { labels: row } : { scores: row }, this.reading));
  }

  /** A softmax of probabilities is nearly flat and would pass for an answer. */
  private refuseProbabilities(rows: readonly number[][]): void {
    const { classes } = this;
    if (classes === 1 || rows.some((row) => checkAnswer(Float32Array.from(row), classes) instanceof AnswerFault))
      return;
    throw new InputError(
      `${this.name}: its output ${this.output} is probabilities already, and logits were expected; ` +
        `set answer.form to probabilities (or to logits, if they only look so)`,
    );
  }
}

/** Opens an ONNX model as a teacher: see {@link OnnxTeacher}. */
export function openOnnxTeacher(path: string, settings: TeacherSettings = {}): Promise<OnnxTeacher> {
  return OnnxTeacher.open(path, settings);
}

async function loadRuntime(path: string): Promise<Runtime> {
  try {
    return await import("onnxruntime-node");
  } catch (error) {
    throw new InputError(
      `onnx:${path}: needs the package onnxruntime-node, which cannot be loaded (${firstLine(error)}); ` +
        `npm install onnxruntime-node (with ONNXRUNTIME_NODE_INSTALL=skip where it may fetch nothing but the package)`,
    );
  }
}

async function readModel(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new InputError(`onnx:${path}: cannot be read: ${(error as Error).message}; check the path`);
  }
}

/** The model's input or output of that name, or its only one; of several, the one with the usual name. */
function choose(
  where: string,
  what: "input" | "output",
  values: readonly Value[],
  name?: string,
  usual?: string,
): Value {
  const names = values.map((value) => value.name).join(", ");
  const wanted = name ?? (values.length > 1 ? values.find((one) => one.name === usual)?.name : undefined);
  if (wanted === undefined && values.length > 1) {
    throw new InputError(`${where}: has ${values.length} ${what}s: ${names}; set onnx.${what} to one of them`);
  }
  const value = wanted === undefined ? values[0] : values.find((one) => one.name === wanted);
  if (!value) throw new InputError(`${where}: has no ${what} ${name}, but ${names}; set onnx.${what} to one of them`);
  return value;
}

/** Numbers for an image, where the model states them: the output's sizes after the first, multiplied. */
function statedClasses(output: Value): number | undefined {
  if (!output.isTensor || output.shape.length < 2) return undefined;
  const sizes = output.shape.slice(1);
  return sizes.every((size) => typeof size === "number" && size > 0)
    ? sizes.reduce<number>((product, size) => product * (size as number), 1)
    : undefined;
}

/** Numbers for an image, found by running the model on a black one; undefined where its input states no sizes. */
async function probe(
  runtime: Runtime,
  session: InferenceSession,
  input: OnnxInput,
  output: Value,
): Promise<number | undefined> {
  if (!input.image) return undefined;
  const { channels, height, width } = input.image;
  const rows = input.batch ?? 1;
  const batch = { ...input.image, count: rows, pixels: new Uint8Array(rows * channels * height * width), ids: [] };
  const tensor = inputTensor(runtime, input, batch, 0, rows, rows);
  const numbers = await outputNumbers(session, input, output.name, tensor);
  return numbers.length % rows === 0 ? numbers.length / rows : undefined;
}

function inputTensor(
  runtime: Runtime,
  input: OnnxInput,
  batch: QueryBatch,
  first: number,
  count: number,
  rows: number,
): Tensor {
  const data = fillInput(input, batch, first, count, rows);
  const shape = input.shape(batch, rows);
  return data instanceof Uint8Array
    ? new runtime.Tensor("uint8", data, shape)
    : new runtime.Tensor("float32", data, shape);
}

/** All numbers of an output, in its order. */
async function outputNumbers(
  session: InferenceSession,
  input: OnnxInput,
  output: string,
  tensor: Tensor,
): Promise<number[]> {
  let found: Tensor;
  try {
    found = (await session.run({ [input.name]: tensor }, [output]))[output];
  } catch (error) {
    throw new InputError(`${input.where}: ONNX Runtime cannot run it on these images: ${firstLine(error)}`);
  }
  const { type, data } = found;
  if (type !== "float32" && type !== "float64" && type !== "int32" && type !== "int64") {
    throw new InputError(
      `${input.where}: its output ${output} is of type ${type}; expected float32, or int64 for labels`,
    );
  }
  return Array.from(data as Iterable<number | bigint>, Number);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0];
}
