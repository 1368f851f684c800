import { basename } from "node:path";
import { writeWhole } from "../files.js";
import { drawCharts } from "./chart.js";
import { rowOptions, rowSettings, type Experiment } from "./file.js";
import type { Layout } from "./layout.js";
import { markdown } from "./markdown.js";
import { shellLine } from "./option-line.js";
import { checkSameTeacher, runOfPages, type Page } from "./pages.js";
import { experimentResults, type ExperimentResults, type TeacherResult } from "./results.js";
import { rowResult, runResult, type RunResult } from "./row-result.js";
import { findRun, type FoundRun } from "./run.js";
import { readTeacher } from "./teacher.js";

/**
 * The results of all of an experiment's runs that are finished, whoever ran them and when, those of pages among them.
 * @throws InputError where one was run with other options than the experiment's file has, or by another teacher
 */
export async function collect(experiment: Experiment, layout: Layout): Promise<ExperimentResults> {
  const rows = [];
  const used = new Set<Page>();
  let first: FoundRun | undefined;
  for (const row of experiment.rows) {
    const runs: RunResult[] = [];
    for (const seed of experiment.seeds) {
      const found = await findRun({ experiment, row, seed }, layout);
      first ??= found;
      if (!found?.summary) {
        const elsewhere = runOfPages(layout.pages, experiment, row, seed);
        if (elsewhere) {
          runs.push(elsewhere.run);
          used.add(elsewhere.page);
        }
        continue;
      }
      const out = layout.shown.run(experiment, row, seed);
      const shown = { ...layout.shown.images(experiment), out, teacher: layout.shown.teacher(nameOf(found)) };
      const { words } = rowOptions(experiment, row, seed, shown);
      runs.push(runResult(seed, out, shellLine(words), found.summary));
    }
    rows.push(rowResult(row, rowSettings(experiment, row).settings, experiment.seeds, runs));
  }
  const here = first && (await teacherOf(first, layout));
  const [one] = used;
  const teacher = here ?? one?.results.teacher;
  const name = first ? nameOf(first) : basename(teacher?.file ?? "", ".safetensors");
  for (const page of used) checkSameTeacher(page, name, first ? here?.accuracy : teacher?.accuracy);
  return experimentResults(experiment, rows, teacher);
}

function nameOf({ teacher }: FoundRun): string {
  return basename(teacher, ".safetensors");
}

async function teacherOf(found: FoundRun, layout: Layout): Promise<TeacherResult | undefined> {
  const record = await readTeacher(found.experiment, found.teacher);
  if (!record) return undefined;
  const { accuracy, seconds, command, settings } = record;
  return { file: layout.shown.teacher(nameOf(found)), accuracy, seconds, command, settings };
}

/** Writes what an experiment's results are told by: JSON, Markdown, and charts. */
export async function publish(results: ExperimentResults, experiment: Experiment, layout: Layout): Promise<void> {
  const charts = await drawCharts(results, experiment.charts);
  for (const { name, svg } of charts) await writeWhole(layout.results(experiment, `-${name}.svg`), svg);
  const names = charts.map(({ name }) => `${experiment.name}-${name}.svg`);
  await writeWhole(layout.results(experiment, ".md"), markdown(results, names));
  await writeWhole(layout.results(experiment, ".json"), `${JSON.stringify(results, undefined, 2)}\n`);
}
