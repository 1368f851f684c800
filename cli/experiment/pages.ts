import { basename } from "node:path";
import { z } from "zod";
import { InputError } from "../../src/errors.js";
import { asJson, readWhole } from "../files.js";
import { rowSettings, teacherSettings, type Experiment, type ExperimentRow } from "./file.js";
import type { ExperimentResults } from "./results.js";
import type { RunResult } from "./row-result.js";
import { optionDifference } from "./same-options.js";

/** Results that were written elsewhere, or earlier: `OUT/EXPERIMENT.json`. */
export interface Page {
  readonly file: string;
  readonly results: ExperimentResults;
}

/** A run of a page. */
export interface RunOfPage {
  readonly run: RunResult;
  readonly page: Page;
}

const settings = z.record(z.string(), z.unknown());
const share = z.number().min(0).max(1);
const estimate = z.looseObject({ value: z.number() });
const round = z.looseObject({
  queries: z.number(),
  test: z.looseObject({ accuracy: share.optional(), agreement: share.optional() }).optional(),
  holdout: z.looseObject({ agreement: estimate, divergence: estimate }).optional(),
});
const run = z.looseObject({
  seed: z.number(),
  command: z.string(),
  device: z.string(),
  queries: z.number(),
  seconds: z.number(),
  accuracy: share.optional(),
  agreement: share.optional(),
  divergence: z.number().optional(),
  teacherAccuracy: share.optional(),
  rounds: z.array(round),
});
const page = z.looseObject({
  name: z.string(),
  data: z.looseObject({ train: z.string(), test: z.string() }),
  judge: z.enum(["test", "holdout"]),
  teacher: z
    .looseObject({ file: z.string(), accuracy: share, seconds: z.number(), command: z.string(), settings })
    .optional(),
  rows: z.array(z.looseObject({ name: z.string(), settings, runs: z.array(run) })),
});

/**
 * Reads pages of results.
 * @throws InputError where one cannot be read, is no such page, or is of none of the experiments
 */
export async function readPages(files: readonly string[], experiments: readonly Experiment[]): Promise<Page[]> {
  const pages: Page[] = [];
  for (const file of files) {
    const text = new TextDecoder().decode(await readWhole("--with", file));
    const cure = "give the .json file that experiment wrote to its --out";
    const json = asJson(text);
    if (json === undefined) throw new InputError(`--with ${file} is not JSON; ${cure}`);
    const found = page.safeParse(json);
    if (!found.success) {
      const { path, message } = found.error.issues[0];
      throw new InputError(
        `--with ${file} is no page of results (${path.join(".") || "the whole"}: ${message}); ${cure}`,
      );
    }
    const results = found.data as unknown as ExperimentResults;
    if (!experiments.some(({ name }) => name === results.name)) {
      const known = experiments.map(({ name }) => name).join(", ");
      throw new InputError(`--with ${file} is of ${results.name}; expected results of ${known}: leave it out`);
    }
    pages.push({ file, results });
  }
  return pages;
}

/**
 * What the pages say of a run: the first that has it.
 * @throws InputError where it is of other options than the experiment's file has now, of other images, or of a teacher
 * that was trained otherwise
 */
export function runOfPages(
  pages: readonly Page[],
  experiment: Experiment,
  row: ExperimentRow,
  seed: number,
): RunOfPage | undefined {
  for (const page of pages) {
    const { file, results } = page;
    if (results.name !== experiment.name) continue;
    const then = results.rows.find(({ name }) => name === row.name);
    const run = then?.runs.find((one) => one.seed === seed);
    if (!then || !run) continue;
    const place = { ...experiment.data, judge: experiment.judge };
    const now = rowSettings(experiment, row);
    const difference =
      optionDifference({ ...results.data, judge: results.judge }, place, new Set(Object.keys(place)), []) ??
      optionDifference(then.settings, now.settings, now.meant, []);
    if (difference !== undefined) {
      throw new InputError(
        `--with ${file}: row "${row.name}" is not what ${experiment.file} has: ${difference}; ` +
          "leave the page out, or name the row otherwise",
      );
    }
    checkTeacherSettings(page, experiment);
    return { run, page };
  }
  return undefined;
}

/**
 * How many runs of an experiment each page tells of, none where it is of another.
 * @throws InputError as {@link runOfPages}
 */
export function countRuns(pages: readonly Page[], experiment: Experiment): Map<Page, number> {
  const counts = new Map<Page, number>();
  for (const row of experiment.rows) {
    for (const seed of experiment.seeds) {
      const found = runOfPages(pages, experiment, row, seed);
      if (found) counts.set(found.page, (counts.get(found.page) ?? 0) + 1);
    }
  }
  return counts;
}

function checkTeacherSettings({ file, results }: Page, experiment: Experiment): void {
  if (!results.teacher) throw new InputError(`--with ${file} does not say who taught its runs; leave the page out`);
  const now = teacherSettings(experiment);
  const difference = optionDifference(results.teacher.settings, now.settings, now.meant, []);
  if (difference === undefined) return;
  throw new InputError(
    `--with ${file}: its teacher is not what ${experiment.file} has: ${difference}; leave the page out`,
  );
}

/**
 * Requires a page's teacher to be the one that is here.
 * @param name of the teacher's file, without its ending
 * @param accuracy its test accuracy, where that is known
 * @throws InputError where it is another
 */
export function checkSameTeacher({ file, results }: Page, name: string, accuracy: number | undefined): void {
  const other = results.teacher!;
  const otherName = basename(other.file, ".safetensors");
  if (otherName === name && (accuracy === undefined || accuracy === other.accuracy)) return;
  const here = `${name}${accuracy === undefined ? "" : `, test accuracy ${accuracy}`}`;
  throw new InputError(
    `--with ${file} was taught by ${otherName}, test accuracy ${other.accuracy}, and the runs here by ${here}; copy the ` +
      "page's teacher with its .json into OUT/teachers before the first run, or leave the page out",
  );
}
