import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  describeForm,
  holdOut,
  planDistill,
  specFor,
  splitHoldout,
  studentSeed,
  type Teacher,
  type TeacherSettings,
} from "../../src/activemixup/index.js";
import { oneLine } from "../../src/activemixup/teacher/secrets.js";
import { sameImages, sampleIndices, subset, type ImageSet } from "../../src/data/index.js";
import { InputError } from "../../src/errors.js";
import { Network } from "../../src/nn/index.js";
import type { Device } from "../../src/tensor/index.js";
import { openImages } from "../images.js";
import { openNetwork } from "../networks.js";
import type { Progress } from "../progress.js";
import { openTeacher, type TeacherSurroundings } from "../teachers.js";
import { deviceRecord } from "../tuning.js";
import { version } from "../version.js";
import { digestPixels, digestState, type RunConfig } from "./config.js";
import { holdoutShare, methodOptions } from "./method.js";
import type { DistillCommandOptions } from "./options.js";

/** All parts of a run, seen to fit together; nothing has been asked yet. */
export interface PreparedRun {
  readonly config: RunConfig;
  /** Name of the data set. */
  readonly dataset: string;
  /** Trained on. */
  readonly images: ImageSet;
  readonly holdout: ImageSet | undefined;
  readonly test: ImageSet | undefined;
  readonly teachers: readonly Teacher[];
  readonly student: Network;
}

/**
 * Opens images, teachers and student.
 * @param settings one a teacher
 * @throws InputError where they do not fit together
 */
export async function prepareRun(
  options: DistillCommandOptions,
  settings: readonly TeacherSettings[],
  surroundings: TeacherSurroundings & { readonly progress: Progress },
): Promise<PreparedRun> {
  const { device, progress, signal } = surroundings;
  const all = await openImages(options.images, options, progress, signal);
  const drawn = sampleIndices(all, options.n, options.seed);
  const share = holdoutShare(options);
  const { images, held: holdout } = holdOut(subset(all, drawn), share, options.seed);
  const split = splitHoldout(options.n, share, options.seed);
  const test = options.test === undefined ? undefined : await openImages(options.test, options, progress, signal);
  if (test && sameImages(test, all)) {
    throw new InputError(
      `--test ${options.test} holds the images that are trained on; give others, for example PATH:test`,
    );
  }
  const unreadable = [...(all.unreadable ?? []), ...(test?.unreadable ?? [])];
  const teachers: Teacher[] = [];
  try {
    for (const [index, where] of options.teacher.entries()) {
      const file = options.teacherConfig?.[index] ?? options.teacherConfig?.at(-1);
      teachers.push(await openTeacher(where, settings[index], { ...surroundings, file }));
    }
    const { classes } = teachers[0];
    const classNames = teachers.find((teacher) => teacher.classNames)?.classNames;
    const student = options.student.endsWith(".safetensors")
      ? await openStudent(device, options.student, classNames)
      : new Network(
          device,
          specFor(options.student, images, classes, classNames && [...classNames]),
          studentSeed(options.seed),
        );
    const method = methodOptions(options, teachers);
    const { askTest } = options;
    planDistill({ images, holdout, test, askTest, teacher: teachers, student, options: method });
    const config: RunConfig = {
      version,
      run: randomUUID(),
      startedIn: process.cwd(),
      options,
      teacherSettings: settings,
      teachers: teachers.map((teacher) => ({
        name: teacher.name,
        classes: teacher.classes,
        answers: describeForm(teacher.form ?? "probabilities"),
      })),
      method,
      chosen: split.trained.map((index) => drawn[index]),
      heldOut: split.held.map((index) => drawn[index]),
      ...(unreadable.length > 0 ? { unreadable } : {}),
      pixels: digestPixels(images, holdout, test),
      student: digestState(await student.state()),
      network: student.spec,
      device: deviceRecord(device),
    };
    return { config, dataset: all.name, images, holdout, test, teachers, student };
  } catch (error) {
    await closeTeachers(teachers, progress);
    throw error;
  }
}

/**
 * A student to go on from, with the teacher's names for its classes where it has none.
 * @throws InputError where the two name them otherwise: the student would learn other numbers than its names say
 */
async function openStudent(device: Device, path: string, names: readonly string[] | undefined): Promise<Network> {
  const student = await openNetwork(device, "--student", path, names);
  const own = student.spec.classNames;
  const at = names && own?.length === names.length ? own.findIndex((name, index) => name !== names[index]) : -1;
  if (at < 0) return student;
  student.dispose();
  throw new InputError(
    `--student ${path}: class ${at} is "${own![at]}" to it and "${names![at]}" to the teacher; ` +
      `start from a student of the teacher's classes, in the same order`,
  );
}

/** Seconds that a teacher may take to close. */
const CLOSING = 10;

/**
 * Ends what the teachers hold: connections, processes, memory. One that cannot, or is still at it after `patience`
 * seconds, is a warning: what was asked and learnt is no worse for it.
 */
export async function closeTeachers(
  teachers: readonly Teacher[],
  progress: Pick<Progress, "say">,
  patience = CLOSING,
): Promise<void> {
  for (const teacher of teachers) {
    const closed = new AbortController();
    const late = sleep(patience * 1000, undefined, { signal: closed.signal }).then(() => {
      throw new Error(`it has not closed within ${patience} s`);
    });
    try {
      await Promise.race([close(teacher), late]);
    } catch (error) {
      progress.say(`warning: the teacher ${teacher.name} cannot be closed: ${oneLine(String(error))}`);
    } finally {
      closed.abort();
    }
  }
}

async function close(teacher: Teacher): Promise<void> {
  await teacher.dispose?.();
}

/**
 * Requires a run that goes on to be the one that began.
 * @param then what its `config.json` says
 * @throws InputError where images or teachers are others
 * @returns in words what may keep the student from being the same to the last bit; nothing where all is the same
 */
export function checkSameRun(now: RunConfig, then: RunConfig): string | undefined {
  if (now.pixels !== then.pixels) {
    const { images, test } = then.options;
    const where = test === undefined ? `--images ${images} holds` : `--images ${images} or --test ${test} hold`;
    throw new InputError(`${where} other images than when the run began; put those back`);
  }
  if (now.version === then.version && now.student !== then.student) {
    throw new InputError(
      `--student ${then.options.student} is not what it was when the run began; put that one back, or begin anew`,
    );
  }
  for (const [index, { name }] of then.teachers.entries()) {
    if (now.teachers[index]?.name !== name) {
      throw new InputError(
        `--teacher ${then.options.teacher[index]} is now ${now.teachers[index]?.name}, and was ${name} when the run began; ` +
          `put that one back, or begin anew`,
      );
    }
  }
  if (now.version !== then.version) return `the run began with version ${then.version}, and this is ${now.version}`;
  if (JSON.stringify(now.device) !== JSON.stringify(then.device)) return "the run began on another device";
  return undefined;
}
