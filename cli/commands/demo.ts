import { Command } from "commander";
import {
  accuracyOf,
  defaultDistillOptions,
  distill,
  fitLabelled,
  NetworkTeacher,
  recipes,
  specFor,
  studentSeed,
  warpRanges,
  type DistillOptions,
} from "../../src/activemixup/index.js";
import { drawDigits, sampleImages, type ImageSet } from "../../src/data/index.js";
import { Network } from "../../src/nn/index.js";
import type { Device } from "../../src/tensor/index.js";
import { withDevice } from "../device.js";
import { whole } from "../parse.js";
import type { CommonOptions } from "../common-options.js";
import { labelOf, unitOf } from "../phases.js";
import { createProgress, type Progress } from "../progress.js";
import { formatTable, percent } from "../table.js";
import { tableLayout } from "../terminal.js";
import { deviceRecord, type DeviceRecord } from "../tuning.js";
import { version } from "../version.js";

interface DemoOptions extends CommonOptions {
  readonly seed: number;
}

/** Pixels on a side of the drawn digits: small, so that the CPU reference is done in time too. */
const SIZE = 16;
const TRAIN_IMAGES = 3000;
const TEST_IMAGES = 2000;
const REAL_IMAGES = 200;
const BUDGET = 2000;

/** Training steps of each round. */
const STEPS = 160;

/** What all students share, equal steps among it. */
const method: Omit<DistillOptions, "strategy" | "seed"> = {
  ...defaultDistillOptions,
  budget: BUDGET,
  rounds: 3,
  pool: 6000,
  lambdas: [0.3, 0.5, 0.7],
  batch: 64,
  augmentation: { crop: 1, flip: false },
};

/**
 * What the students are trained by, one after the other: the best recipe, with warps in training, as pays for writing;
 * the paper's; and what both have to beat.
 */
const ROWS: readonly { readonly name: string; readonly options: Partial<DistillOptions> & { strategy: string } }[] = [
  {
    name: "best, with warps",
    options: {
      strategy: recipes.best.strategy,
      candidates: recipes.best.candidates,
      candidateWarps: warpRanges("affine", 1, false),
      augmentation: { crop: 0, flip: false, warp: warpRanges("affine", 0.5, false) },
      temperature: recipes.best.temperature,
    },
  },
  { name: "the paper's", options: { strategy: "confidence" } },
  { name: "random mixup", options: { strategy: "random" } },
  { name: "real images", options: { strategy: "real-only" } },
];

/** `activemixup demo`: the whole method on drawn digits, without data, GPU or network. */
export function demoCommand(signal: AbortSignal): Command {
  return new Command("demo")
    .description("the whole method in two minutes on drawn digits: needs no data, no GPU and no network")
    .option("--seed <seed>", "seed of all random numbers", whole(0), 1)
    .action(async (options: DemoOptions) => {
      const progress = createProgress(options.quiet);
      const result = await withDevice(options, progress, (device) => demo(device, options, progress, signal));
      process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${describeDemo(result)}\n`);
    });
}

interface DemoResult {
  readonly version: string;
  readonly seed: number;
  readonly device: DeviceRecord;
  readonly teacher: { readonly accuracy: number };
  readonly n: number;
  readonly rows: readonly {
    readonly name: string;
    readonly strategy: string;
    readonly queries: number;
    readonly accuracy: number;
    readonly agreement: number;
    readonly seconds: number;
  }[];
  readonly seconds: number;
}

async function demo(
  device: Device,
  { seed }: DemoOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<DemoResult> {
  const start = performance.now();
  progress.say(`drawing ${TRAIN_IMAGES} + ${TEST_IMAGES} digits of ${SIZE} × ${SIZE} pixels, seed ${seed}`);
  const data = drawDigits(TRAIN_IMAGES, seed, { size: SIZE });
  const test = { ...drawDigits(TEST_IMAGES, (seed + 1) >>> 0, { size: SIZE }), name: "test digits" };
  const { teacher, accuracy } = await trainTeacher(device, data, test, seed, progress, signal);
  const images = sampleImages(data, REAL_IMAGES, seed);
  progress.say(`the students see ${REAL_IMAGES} of the images, without labels, and may ask ${BUDGET} times`);
  const rows: DemoResult["rows"][number][] = [];
  for (const { name, options: own } of ROWS) {
    const began = performance.now();
    const student = new Network(device, specFor("lenet5-half", images, data.classes), studentSeed(seed));
    const rounds = own.strategy === "real-only" ? 1 : method.rounds + 1;
    // Students that ask in one round train as long in it as the others in all.
    const steps = (STEPS * (method.rounds + 1)) / rounds;
    const options = { ...method, steps, ...own, seed };
    const report = await distill({
      images,
      teacher,
      student,
      test,
      options,
      signal,
      observer: {
        onProgress: (phase, round, done, total) => {
          progress.update(`${name}, ${labelOf(phase, round)}`, done, total, unitOf(phase, options));
        },
      },
    });
    student.dispose();
    signal.throwIfAborted();
    const { test: score } = report.rounds.at(-1)!;
    rows.push({
      name,
      strategy: own.strategy,
      queries: report.queries,
      accuracy: score!.accuracy!,
      agreement: score!.agreement!,
      seconds: (performance.now() - began) / 1000,
    });
  }
  teacher.dispose();
  const seconds = (performance.now() - start) / 1000;
  return { version, seed, device: deviceRecord(device), teacher: { accuracy }, n: REAL_IMAGES, rows, seconds };
}

async function trainTeacher(
  device: Device,
  data: ImageSet,
  test: ImageSet,
  seed: number,
  progress: Progress,
  signal: AbortSignal,
): Promise<{ teacher: NetworkTeacher; accuracy: number }> {
  const network = new Network(device, specFor("lenet5", data, data.classes), seed);
  const options = { epochs: 5, batch: 64, rate: 2e-3, crop: 1, flip: false, seed };
  await fitLabelled(network, data, options, {
    signal,
    onProgress: (done, total) => {
      progress.update("training the teacher", done, total, "images");
    },
  });
  signal.throwIfAborted();
  const accuracy = await accuracyOf(network, test);
  return { teacher: await NetworkTeacher.create(network, "of the demo"), accuracy };
}

function describeDemo({ teacher, n, rows, seconds }: DemoResult): string {
  const head = ["student by", "queries", "accuracy", "agreement", "time"];
  const cells = rows.map((row) => [
    row.name,
    String(row.queries),
    percent(row.accuracy),
    percent(row.agreement),
    `${row.seconds.toFixed(1)} s`,
  ]);
  return [
    `teacher: LeNet-5, accuracy ${percent(teacher.accuracy)}; students: LeNet-5-half from ${n} unlabelled images`,
    "",
    formatTable([head, ...cells], tableLayout()),
    "",
    `agreement: share of ${TEST_IMAGES} test images on which student and teacher agree; ${seconds.toFixed(0)} s in all`,
  ].join("\n");
}
