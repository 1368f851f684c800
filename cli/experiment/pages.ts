import { basename } from "node:path";
import { z } from "zod";
import { InputError } from "../../src/errors.js";
import { readWhole } from "../files.js";
import type { Experiment, ExperimentRow } from "./file.js";
import { optionDifference } from "./same-options.js";
import {
  recipeSettings,
  type ExperimentResults,
  type RowResult,
  type RunResult,
  type TeacherResult,
} from "./results.js";

/** Results that were written elsewhere, or earlier: `OUT/EXPERIMENT.json`. */
export interface Page {
  readonly file: string;
  readonly results: ExperimentResults;
}

const page = z.looseObject({
  name: z.string(),
  data: z.looseObject({ train: z.string(), test: z.string() }),
  judge: z.enum(["test", "holdout"]),
  rows: z.array(
    z.looseObject({
      name: z.string(),
      options: z.record(z.string(), z.unknown()),
      runs: z.array(z.looseObject({ seed: z.number(), queries: z.number(), rounds: z.array(z.looseObject({})) })),
    }),
  ),
});

/**
 * Reads pages of results.
 * @throws InputError where one cannot be read, is no such page, or is of none of the experiments
 */
export async function readPages(files: readonly string[], experiments: readonly Experiment[]): Promise<Page[]> {
  const pages: Page[] = [];
  for (const file of files) {
    const text = new TextDecoder().decode(await readWhole("--with", file));
    const found = page.safeParse(asJson(text));
    if (!found.success) {
      throw new InputError(
        `--with ${file} is no page of results; give the .json file that experiment wrote to its --out`,
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

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** All that makes a row what it is. */
function identityOf(
  { data, judge }: Pick<Experiment, "data" | "judge">,
  { options, recipe }: Pick<RowResult, "options" | "recipe">,
): Record<string, unknown> {
  return { ...data, judge, ...recipe, ...options };
}

/**
 * What a page says of a run, the first page that has it.
 * @throws InputError where it is of other options than the experiment's file has now, or of other images
 */
export function runOfPages(
  pages: readonly Page[],
  experiment: Experiment,
  row: ExperimentRow,
  seed: number,
): { readonly run: RunResult; readonly page: Page } | undefined {
  for (const page of pages) {
    if (page.results.name !== experiment.name) continue;
    const then = page.results.rows.find(({ name }) => name === row.name);
    const run = then?.runs.find((one) => one.seed === seed);
    if (!then || !run) continue;
    const now = identityOf(experiment, { options: row.options, recipe: recipeSettings(row.options) });
    const difference = optionDifference(identityOf(page.results, then), now, new Set(Object.keys(now)), []);
    if (difference === undefined) return { run, page };
    throw new InputError(
      `--with ${page.file}: row "${row.name}" is not what ${experiment.file} has: ${difference}; ` +
        "leave the page out, or name the row otherwise",
    );
  }
  return undefined;
}

/**
 * Requires a page's teacher to be that of the other runs.
 * @throws InputError where it is not
 */
export function checkSameTeacher({ file, results }: Page, teacher: TeacherResult | undefined): void {
  const other = results.teacher;
  if (!teacher || !other) return;
  if (basename(other.file) === basename(teacher.file) && other.accuracy === teacher.accuracy) return;
  throw new InputError(
    `--with ${file}: its teacher is ${basename(other.file)} with test accuracy ${other.accuracy}, and that of the other ` +
      `runs ${basename(teacher.file)} with ${teacher.accuracy}; leave the page out`,
  );
}
