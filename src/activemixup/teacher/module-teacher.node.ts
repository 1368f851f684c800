import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { InputError } from "../../errors.js";
import {
  answerForms,
  MOST_CLASSES,
  readAnswer,
  type AnswerForm,
  type AnswerReading,
  type RawAnswer,
} from "./answer-form.js";
import { mappingDigest } from "./mapping.node.js";
import { orAborted } from "./or-aborted.js";
import { answerReading, askingManner, refuseUnheeded, settingsOfHttp } from "./reading.js";
import { oneLine } from "./secrets.js";
import type { TeacherSettings } from "./settings.js";
import {
  serviceManner,
  TeacherFault,
  type Answer,
  type AskingManner,
  type QueryBatch,
  type Teacher,
} from "./teacher.js";

/** Of code that may do anything, a call of somebody's service included. */
const moduleManner: AskingManner = { ...serviceManner, concurrency: 1 };

type Callable = (...args: unknown[]) => unknown;

const callable = z.custom<Callable>((value) => typeof value === "function", "expected a function");

const positive = z.number().positive();

const exportsSchema = z.object({
  query: callable,
  classes: z.int().min(1).max(MOST_CLASSES).optional(),
  classNames: z.array(z.string()).min(1).optional(),
  form: z.enum(answerForms).optional(),
  name: z.string().min(1).optional(),
  manner: z
    .strictObject({
      batch: z.int().min(1),
      concurrency: z.int().min(1),
      requestsPerSecond: positive,
      timeoutSeconds: positive,
      attempts: z.int().min(1),
      backoffSeconds: z.number().min(0),
      charges: z.boolean(),
    })
    .partial()
    .optional(),
  close: callable.optional(),
});

type Exports = z.infer<typeof exportsSchema>;

/** A JavaScript module in the role of the teacher: its function `query` is given the images. */
export class ModuleTeacher implements Teacher {
  readonly manner: AskingManner;
  private readonly reading: AnswerReading;

  /** @param name tells it apart in ledgers and errors */
  constructor(
    readonly name: string,
    private readonly module: Exports,
    settings: TeacherSettings,
  ) {
    this.reading = answerReading(name, module, settings, "probabilities");
    this.manner = askingManner(name, { ...moduleManner, ...module.manner }, settings.asking);
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

  /**
   * Calls the module's `query(batch, signal)`.
   * @throws TeacherFault where it throws, or gives something else than a list; InputError where what it throws is `fatal`
   */
  async query(batch: QueryBatch, signal?: AbortSignal): Promise<Answer[]> {
    const answers = await orAborted(this.call(batch, signal), signal);
    if (!Array.isArray(answers)) {
      throw new TeacherFault(`query() gave ${typeName(answers)}; expected a list, one answer an image`, true);
    }
    return answers.map((answer: unknown) => readAnswer(rawAnswer(answer, this.reading), this.reading));
  }

  /** Calls the module's `close()`, if there is one. */
  async dispose(): Promise<void> {
    await this.module.close?.();
  }

  private async call(batch: QueryBatch, signal?: AbortSignal): Promise<unknown> {
    try {
      return await this.module.query(batch, signal);
    } catch (error) {
      // Anything can be thrown.
      const { message, fatal, charged, retryAfter } = Object(error) as Record<string, unknown>;
      const text = oneLine(typeof message === "string" ? message : String(error));
      if (fatal === true) throw new InputError(`${this.name}: ${text}`);
      const wait = typeof retryAfter === "number" && retryAfter >= 0 ? retryAfter : undefined;
      throw new TeacherFault(text, charged !== false, wait);
    }
  }
}

/**
 * Opens a JavaScript module as a teacher. Its name is the one that it exports, else the file's with a digest of what the
 * file holds; and a digest of settings that bear on how answers are read. The settings' own name stands in place of all.
 * @throws InputError where it cannot be read or loaded, or does not export what it has to
 */
export async function openModuleTeacher(path: string, settings: TeacherSettings = {}): Promise<ModuleTeacher> {
  refuseUnheeded(`module:${path}`, settings, [...settingsOfHttp, "onnx"]);
  let exported: unknown;
  let source: Uint8Array;
  try {
    source = await readFile(path);
  } catch (error) {
    throw new InputError(`module:${path}: cannot be read: ${(error as Error).message}; check the path`);
  }
  try {
    exported = await import(/* @vite-ignore */ pathToFileURL(resolve(path)).href);
  } catch (error) {
    throw new InputError(`module:${path}: cannot be loaded: ${error instanceof Error ? error.message : error}`);
  }
  const { data, error } = exportsSchema.safeParse({ ...(exported as object) });
  if (!data) {
    const { path: field, message } = error.issues[0];
    const exported = field[0] === "query" ? "query(batch)" : field.join(".");
    throw new InputError(
      `module:${path}: its export ${exported}: ${message}; ` +
        `it has to export query(batch) and classes or classNames`,
    );
  }
  const digest = createHash("sha256").update(source).digest("hex").slice(0, 16);
  const form = settings.answer?.form ?? data.form;
  const mapping = mappingDigest(settings, form === "label" || form === "top");
  const name = settings.name ?? `${data.name ?? `module:${basename(path)}:${digest}`}${mapping}`;
  return new ModuleTeacher(name, data, settings);
}

/** An item of what `query` gave: `{ labels, scores }`, or one of the two by itself. */
function rawAnswer(answer: unknown, { form }: AnswerReading): RawAnswer {
  if (typeof answer === "object" && answer !== null && ("scores" in answer || "labels" in answer)) return answer;
  return form === "label" ? { labels: answer } : { scores: answer };
}

function typeName(value: unknown): string {
  return value === null || value === undefined ? String(value) : `a value of type ${typeof value}`;
}
