import { createHash } from "node:crypto";
import { access, mkdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { lockFile, LockedError, type FileLock } from "../../src/activemixup/ledger/lock.node.js";
import type { ImageSet } from "../../src/data/index.js";
import { InputError } from "../../src/errors.js";
import type { RunSurroundings } from "../distill/start.js";
import { asInputError, asJson, writeWhole } from "../files.js";
import { percent } from "../table.js";
import { openLabelledImages, trainNetwork } from "../train/train.js";
import { placesOfTeacher, teacherOptions, teacherSettings, type Experiment } from "./file.js";
import { shellLine } from "./option-line.js";
import type { Layout } from "./layout.js";
import { optionDifference } from "./same-options.js";

const record = z.looseObject({
  settings: z.record(z.string(), z.unknown()),
  accuracy: z.number(),
  seconds: z.number(),
  images: z.number(),
  command: z.string(),
});

/** What the JSON file beside a teacher says. */
export type TeacherRecord = z.infer<typeof record>;

/** Seconds between looks at a teacher that another process trains. */
const WAIT = 0.5;

/**
 * The teacher of an experiment: from the folder of teachers, or trained now and kept there for all that need the same.
 * Its file's name holds a digest of what the experiment says of it, and of all images.
 * @returns the file; nothing where training was stopped
 * @throws InputError where the options and images do not fit together
 */
export async function provideTeacher(
  experiment: Experiment,
  layout: Layout,
  surroundings: RunSurroundings,
): Promise<string | undefined> {
  const { progress, device, signal } = surroundings;
  const images = await openLabelledImages(
    teacherOptions(experiment, { ...layout.images(experiment), out: "" }).options,
    progress,
    signal,
  );
  const name = `${readableName(experiment)}-${digest(experiment, images.data, images.test!)}`;
  const file = layout.teacher(name);
  const isKept = async () => {
    const kept = await readKept(experiment, file);
    if (kept) progress.say(`teacher: ${basename(file)}, test accuracy ${percent(kept.accuracy)}, trained earlier`);
    return kept !== undefined;
  };
  if (await isKept()) return file;
  await mkdir(dirname(file), { recursive: true }).catch((error: unknown) => {
    throw asInputError(error, `--out ${layout.shown.out}`, "written", "give a place where you may write");
  });
  const lock = await waitForLock(`${file}.lock`, `the teacher ${file}`, surroundings);
  try {
    // Another process may have trained it while this one waited.
    if (signal.aborted) return undefined;
    if (await isKept()) return file;
    const draft = file.replace(/\.safetensors$/, ".unfinished.safetensors");
    const { options } = teacherOptions(experiment, { ...layout.images(experiment), out: draft });
    const result = await trainNetwork(device, images, options, progress, signal);
    if (result.interrupted) {
      await rm(draft, { force: true });
      return undefined;
    }
    await rename(draft, file);
    const { words } = teacherOptions(experiment, {
      ...layout.shown.images(experiment),
      out: layout.shown.teacher(name),
    });
    const { accuracy, seconds, version, images: count, device: computed } = result;
    const { settings } = teacherSettings(experiment);
    const about = { version, data: experiment.data, settings, images: count, accuracy, seconds, device: computed };
    await writeWhole(besides(file), `${JSON.stringify({ ...about, command: shellLine(words) }, undefined, 2)}\n`);
    progress.say(`teacher: ${basename(file)}, test accuracy ${percent(accuracy)}`);
    return file;
  } finally {
    await lock?.release();
  }
}

/**
 * What is known of a teacher of the cache that an experiment's run was taught by.
 * @returns nothing where it is not there any more
 * @throws InputError where it cannot be read, or was trained with other options than the experiment's file has
 */
export async function readTeacher(experiment: Experiment, file: string): Promise<TeacherRecord | undefined> {
  const path = besides(file);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw asInputError(error, path, "read", `see that you may read it, or remove it and ${file}`);
  });
  if (text === undefined) return undefined;
  const found = record.safeParse(asJson(text));
  if (!found.success) throw new InputError(`${path} is not what was written there; remove it and ${file}`);
  const now = teacherSettings(experiment);
  const difference = optionDifference(found.data.settings, now.settings, now.meant, []);
  if (difference === undefined) return found.data;
  throw new InputError(
    `${file} was trained with other options than ${experiment.file} has: ${difference}; ` +
      `give a new --out, or remove the teacher and the runs that it taught`,
  );
}

/** The teacher's record, if its file is there too. */
async function readKept(experiment: Experiment, file: string): Promise<TeacherRecord | undefined> {
  const there = await access(file).then(
    () => true,
    () => false,
  );
  return there ? readTeacher(experiment, file) : undefined;
}

function besides(file: string): string {
  return join(dirname(file), `${basename(file, ".safetensors")}.json`);
}

function readableName({ data, teacher }: Experiment): string {
  const images = data.train.replace(/:train$/, "").replaceAll(/[^\p{L}\p{N}]+/gu, "-");
  return `${images}-${String(teacher.model)}`.replace(/^-+/, "");
}

/** Of the options as the file gives them: a default that comes to the command later makes no other teacher of it. */
function digest({ teacher }: Experiment, ...sets: readonly ImageSet[]): string {
  const options = Object.entries(teacher)
    .filter(([name]) => !placesOfTeacher.includes(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash("sha256").update(JSON.stringify(options));
  for (const { pixels, labels } of sets) hash.update(pixels).update(Uint32Array.from(labels!));
  return hash.digest("hex").slice(0, 10);
}

/** The lock, once no other process has it; nothing where this one is stopped first. */
async function waitForLock(
  path: string,
  what: string,
  { progress, signal }: RunSurroundings,
): Promise<FileLock | undefined> {
  for (let told = false; ; told = true) {
    try {
      return await lockFile(path, what);
    } catch (error) {
      if (!(error instanceof LockedError)) throw error;
      if (signal.aborted) return undefined;
      if (!told) progress.say(`${what} is being trained by another process; waiting for it`);
      await new Promise((resolve) => setTimeout(resolve, 1000 * WAIT));
    }
  }
}
