import { createHash } from "node:crypto";
import { z } from "zod";
import type { DistillOptions, TeacherSettings } from "../../src/activemixup/index.js";
import type { ImageSet, UnreadableImage } from "../../src/data/index.js";
import { InputError } from "../../src/errors.js";
import type { NetworkSpec, NetworkState } from "../../src/nn/index.js";
import type { DeviceRecord } from "../tuning.js";
import type { DistillCommandOptions } from "./options.js";

/** What `config.json` holds: all that makes the run what it is, and all that resuming it needs. No secrets. */
export interface RunConfig {
  readonly version: string;
  /** Tells the run apart in ledgers. */
  readonly run: string;
  /** Where relative paths in the options start. */
  readonly startedIn: string;
  readonly options: DistillCommandOptions;
  /** One a teacher: what its settings file said when the run began. */
  readonly teacherSettings: readonly TeacherSettings[];
  readonly teachers: readonly TeacherRecord[];
  readonly method: DistillOptions;
  /** Numbers of the images that are trained on, in the data set. */
  readonly chosen: readonly number[];
  /** Numbers of the images that are held out, in the data set. */
  readonly heldOut: readonly number[];
  /** Image files that `--skip-bad` left out: their images have no numbers. */
  readonly unreadable?: readonly UnreadableImage[];
  /** SHA-256 of the pixels of both, and of the test images. */
  readonly pixels: string;
  /** SHA-256 of the student as it is at the start. */
  readonly student: string;
  readonly network: NetworkSpec;
  readonly device: DeviceRecord;
}

export interface TeacherRecord {
  readonly name: string;
  readonly classes: number;
  /** How what it answers is made into probabilities. */
  readonly answers: string;
}

/** The digest of a student's weights in {@link RunConfig}. */
export function digestState(state: NetworkState): string {
  const hash = createHash("sha256");
  for (const [name, { data }] of state) hash.update(name).update(data);
  return hash.digest("hex");
}

/** The digest of image sets' pixels in {@link RunConfig}. */
export function digestPixels(...sets: readonly (ImageSet | undefined)[]): string {
  const hash = createHash("sha256");
  for (const set of sets) if (set) hash.update(set.pixels);
  return hash.digest("hex");
}

const configFile = z.looseObject({
  version: z.string(),
  run: z.string().min(1),
  startedIn: z.string().min(1),
  options: z.looseObject({
    images: z.string(),
    teacher: z.array(z.string()).min(1),
    student: z.string(),
    out: z.string(),
    n: z.number(),
    budget: z.number(),
    strategy: z.string(),
    lambdas: z.array(z.number()),
    seed: z.number(),
  }),
  teacherSettings: z.array(z.looseObject({})),
  teachers: z.array(z.looseObject({ name: z.string() })),
  method: z.looseObject({
    budget: z.number(),
    strategy: z.string(),
    augmentation: z.looseObject({ crop: z.number() }),
    schedule: z.looseObject({}),
    optimizer: z.looseObject({}),
  }),
  chosen: z.array(z.number()),
  heldOut: z.array(z.number()),
  pixels: z.string(),
  student: z.string(),
  network: z.looseObject({}),
  device: z.looseObject({ kind: z.string() }),
});

/**
 * What a run's `config.json` says.
 * @param value the file's JSON
 * @throws InputError where it is not what a run wrote
 */
export function parseRunConfig(value: unknown, folder: string): RunConfig {
  const { success, error, data } = configFile.safeParse(value);
  if (success) return data as unknown as RunConfig;
  const { path, message } = error.issues[0];
  throw new InputError(
    `${folder}/config.json: ${path.join(".") || "the whole"}: ${message}; put back the file that the run wrote, or begin anew`,
  );
}
