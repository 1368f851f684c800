import { basename } from "node:path";
import { z } from "zod";
import { InputError } from "../../src/errors.js";
import { idleOption } from "../distill/method.js";
import { withDistillOptions, type DistillCommandOptions } from "../distill/options.js";
import { readWhole } from "../files.js";
import { withTrainOptions, type TrainCommandOptions } from "../train/options.js";
import { parseOptionValues, type OptionValues, type ParsedOptions } from "./option-line.js";
import type { Settings } from "./same-options.js";

/** An experiment, as its file says it. */
export interface Experiment {
  /** The file's name without its ending: what its results are called. */
  readonly name: string;
  readonly file: string;
  readonly title: string;
  readonly about: string;
  /** What makes this less than the full experiment, where something does. */
  readonly reduced?: string | undefined;
  /** Under the folder of data: labelled images that the teacher is trained on and students see some of, and test images. */
  readonly data: { readonly train: string; readonly test: string };
  /** Options of `train`. */
  readonly teacher: OptionValues;
  readonly seeds: readonly number[];
  readonly rows: readonly ExperimentRow[];
  /**
   * What students are judged by: test images, which nothing is to be chosen by; or images that each run holds out, to
   * choose settings by, without a look at test images.
   */
  readonly judge: "test" | "holdout";
  /** Name of the row that others are compared with, unless they name one of their own. */
  readonly baseline?: string | undefined;
  /** Rows that are drawn together, by the name of their charts; all rows in one where absent. */
  readonly charts?: Readonly<Record<string, readonly string[]>> | undefined;
}

export interface ExperimentRow {
  readonly name: string;
  /** Name of the row that its queries are compared with. */
  readonly baseline?: string | undefined;
  /** Options of `distill`: those of all rows, and its own. */
  readonly options: OptionValues;
}

/** Options of `train` that the experiment gives. */
const reservedOfTeacher = ["data", "out", "test"];
/** Options of `distill` that the experiment gives. */
const reservedOfRow = ["images", "teacher", "out", "test", "seed", "ledger", "resume"];

/** Where options are read that have no places yet. */
const anywhere = { train: "train", test: "test", out: "out", teacher: "teacher.safetensors" };

/** Names become folders. */
const name = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} _.+=()-]*$/u, "expected letters, digits, spaces and _ . + = ( ) - alone");
const optionValue = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.null(),
  z.array(z.union([z.string(), z.number()])),
]);
const optionValues = z.record(z.string(), optionValue);
const place = z.string().min(1);

const experimentFile = z.strictObject({
  title: z.string().min(1),
  about: z.string().min(1),
  reduced: z.string().min(1).optional(),
  data: z.union(
    [place, z.strictObject({ train: place, test: place })],
    "expected the name of a folder, or train and test",
  ),
  teacher: optionValues,
  seeds: z.array(z.int().min(0).max(0xffffffff)).min(1),
  common: optionValues.default({}),
  rows: z.array(z.object({ name, baseline: z.string().optional() }).catchall(optionValue)).min(1),
  judge: z.enum(["test", "holdout"]).default("test"),
  baseline: z.string().optional(),
  charts: z.record(name, z.array(z.string()).min(1)).optional(),
});

/**
 * Reads an experiment's file, and sees that `train` and `distill` take all that it says.
 * @throws InputError that names the file, the place in it and what is wrong there
 */
export async function readExperiment(file: string): Promise<Experiment> {
  const text = new TextDecoder().decode(await readWhole("FILE", file));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${file} is not JSON (${(error as Error).message.replace(/\s+/g, " ")}); mend it`);
  }
  return parseExperiment(value, file);
}

/** {@link readExperiment}, of JSON that is read. */
export function parseExperiment(value: unknown, file: string): Experiment {
  const { success, error, data: found } = experimentFile.safeParse(value);
  if (!success) {
    const [issue] = error.issues;
    const { path } = issue;
    const { message } = issue.code === "invalid_key" ? issue.issues[0] : issue;
    throw new InputError(`${file}: ${formatPath(path)}: ${message}; correct the file`);
  }
  const { data, common, rows: given, ...rest } = found;
  const rows = given.map(({ name, baseline = rest.baseline, ...own }) => ({
    ...{ name, baseline, options: { ...common, ...own } },
  }));
  const experiment: Experiment = {
    ...rest,
    name: basename(file).replace(/\.json$/, ""),
    file,
    data: typeof data === "string" ? { train: `${data}:train`, test: `${data}:test` } : data,
    rows,
  };
  checkNames(experiment);
  teacherOptions(experiment, anywhere);
  for (const row of rows) rowOptions(experiment, row, 0, anywhere);
  return experiment;
}

function formatPath(path: readonly PropertyKey[]): string {
  const parts = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`));
  return parts.join("").replace(/^\./, "") || "the whole";
}

function checkNames({ file, rows, seeds, baseline, charts = {} }: Experiment): void {
  // On some file systems names that differ in case are one folder.
  const names = rows.map(({ name }) => name.toLowerCase());
  const twice = names.findIndex((name, index) => names.indexOf(name) < index);
  if (twice >= 0)
    throw new InputError(`${file}: rows[${twice}].name: ${rows[twice].name} is there twice; name each row apart`);
  const seedTwice = seeds.find((seed, index) => seeds.indexOf(seed) < index);
  if (seedTwice !== undefined) throw new InputError(`${file}: seeds: ${seedTwice} is there twice; give each once`);
  const requireRow = (place: string, name: string) => {
    if (rows.some((row) => row.name === name)) return;
    throw new InputError(
      `${file}: ${place}: ${name} is no row; expected one of ${rows.map((row) => row.name).join(", ")}`,
    );
  };
  if (baseline !== undefined) requireRow("baseline", baseline);
  for (const [index, row] of rows.entries())
    if (row.baseline !== undefined) requireRow(`rows[${index}].baseline`, row.baseline);
  for (const [chart, drawn] of Object.entries(charts)) for (const row of drawn) requireRow(`charts.${chart}`, row);
}

/** Where a command of an experiment finds and leaves things. */
export interface Places {
  /** Labelled images. */
  readonly train: string;
  readonly test: string;
  readonly out: string;
}

/** What `train` is asked to do for the teacher. @throws InputError that names the file and the option */
export function teacherOptions(
  { file, teacher }: Experiment,
  { train, test, out }: Places,
): ParsedOptions<TrainCommandOptions> {
  const fixed = ["--data", train, "--test", test, "--out", out];
  const parsed = parseOptionValues<TrainCommandOptions>(
    withTrainOptions,
    teacher,
    fixed,
    reservedOfTeacher,
    `${file}: teacher`,
  );
  return { ...parsed, words: ["activemixup", "train", ...fixed, ...parsed.words] };
}

/** Options that say where things lie, and whether they are kept, not what the teacher is. */
export const placesOfTeacher = ["data", "test", "out", "cache"];
/** The same of a run: that images and teacher are the same is seen otherwise. */
export const placesOfRun = ["images", "test", "teacher", "out", "cache"];

/** Options with the defaults of the command, and which of them the file gives, or means by a recipe. */
export interface GivenSettings {
  readonly settings: Settings;
  readonly meant: ReadonlySet<string>;
}

/** What makes the experiment's teacher what it is, but for its images. */
export function teacherSettings(experiment: Experiment): GivenSettings {
  return settingsOf(teacherOptions(experiment, anywhere), placesOfTeacher);
}

/** What makes the runs of a row what they are, but for their images and teacher. */
export function rowSettings(experiment: Experiment, row: ExperimentRow): GivenSettings {
  return settingsOf(rowOptions(experiment, row, 0, anywhere), [...placesOfRun, "seed"]);
}

function settingsOf({ options, meant }: ParsedOptions<object>, without: readonly string[]): GivenSettings {
  return { settings: Object.fromEntries(Object.entries(options).filter(([name]) => !without.includes(name))), meant };
}

/** What `distill` is asked to do for one seed of a row. @throws InputError that names the file, the row and the option */
export function rowOptions(
  { file, judge }: Experiment,
  { name, options }: ExperimentRow,
  seed: number,
  { train, test, out, teacher }: Places & { readonly teacher: string },
): ParsedOptions<DistillCommandOptions> {
  const where = `${file}: row "${name}"`;
  const tested = judge === "test" ? ["--test", test] : [];
  const fixed = ["--images", train, ...tested, "--teacher", teacher, "--seed", String(seed), "--out", out];
  const parsed = parseOptionValues<DistillCommandOptions>(withDistillOptions, options, fixed, reservedOfRow, where);
  for (const name of ["student", "n", "budget"] as const) {
    if (parsed.options[name] === undefined)
      throw new InputError(`${where}: ${name} is missing; give it there or in common`);
  }
  if (judge === "holdout" && parsed.options.holdout === 0) {
    throw new InputError(`${where}: holdout is 0, and the experiment judges by held-out images; give a share above 0`);
  }
  const idle = idleOption(parsed.options, parsed.given);
  if (idle !== undefined) throw new InputError(`${where}: ${idle}`);
  return { ...parsed, words: ["activemixup", "distill", ...fixed, ...parsed.words] };
}
