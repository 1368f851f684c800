import { Command, Option } from "commander";
import {
  defaultDistillOptions,
  distill,
  NetworkTeacher,
  planDistill,
  specFor,
  strategies,
  type DistillOptions,
  type DistillReport,
  type RoundReport,
} from "../../src/activemixup/index.js";
import { openImageSet, sampleIndices, subset, type ImageSet } from "../../src/data/index.js";
import {
  architectures,
  encodeNetwork,
  Network,
  paperSchedule,
  paperSgd,
  plainAdam,
  type Schedule,
} from "../../src/nn/index.js";
import { Philox, RandomStream, type Device } from "../../src/tensor/index.js";
import { withDevice } from "../device.js";
import { openNetwork } from "../networks.js";
import { numbers, positive, whole } from "../parse.js";
import type { CommonOptions } from "../common-options.js";
import { createProgress, type Progress } from "../progress.js";
import { RunFolder } from "../run-folder.js";
import { formatTable, percent } from "../table.js";
import { deviceRecord, type DeviceRecord } from "../tuning.js";
import { version } from "../version.js";

interface CommandOptions extends CommonOptions {
  readonly images: string;
  readonly teacher: string;
  readonly student: string;
  readonly out: string;
  readonly n: number;
  readonly budget: number;
  readonly rounds: number;
  readonly perRound?: number;
  readonly strategy: string;
  readonly lambdas: number[];
  readonly pool?: number;
  readonly exactBlends?: boolean;
  readonly epochs: number;
  readonly steps?: number;
  readonly restart?: boolean;
  readonly batch: number;
  readonly optimizer: "adam" | "sgd";
  readonly rate?: number;
  readonly schedule: "cosine" | "paper" | "constant";
  readonly crop: number;
  readonly flip?: boolean;
  readonly test?: string;
  readonly holdout: number;
  readonly seed: number;
}

/** `activemixup distill`: the method. */
export function distillCommand(signal: AbortSignal): Command {
  const defaults = defaultDistillOptions;
  return new Command("distill")
    .description("train a student from a few unlabelled images and a counted number of queries to a teacher")
    .requiredOption("--images <path>", "where the unlabelled images are: PATH or PATH:train or PATH:test")
    .requiredOption("--teacher <file>", "the teacher: a network file (safetensors), only ever asked")
    .requiredOption("--student <name>", `student: ${architectures.join(", ")}, or a network file to start from`)
    .requiredOption("--n <count>", "real images to use, drawn by the seed", whole(1))
    .requiredOption("--budget <queries>", "most queries to the teacher, the n real images included", whole(1))
    .requiredOption("--out <folder>", "where the run goes; new or empty")
    .option("--rounds <count>", "rounds of choosing blends and asking", whole(0), defaults.rounds)
    .option("--per-round <queries>", "queries a round, instead of --rounds", whole(1))
    .option("--strategy <name>", `how blends are chosen: ${Object.keys(strategies).join(", ")}`, defaults.strategy)
    .option("--lambdas <list>", "shares of the first image in a blend", numbers, [...defaults.lambdas])
    .option("--pool <pairs>", "most candidate pairs, a random sample (default: all pairs)", whole(1))
    .option("--exact-blends", "score blends in 8 bits, as the teacher sees them, even where that is slower")
    .option("--epochs <count>", "passes over all that is labelled, each round", whole(1), defaults.epochs)
    .option("--steps <count>", "training steps each round, instead of --epochs", whole(1))
    .option("--restart", "start the student anew each round")
    .option("--batch <images>", "images in a training step", whole(1), defaults.batch)
    .addOption(
      new Option("--optimizer <name>", "sgd: with the paper's momentum and weight decay")
        .choices(["adam", "sgd"])
        .default("adam"),
    )
    .option("--rate <rate>", "highest learning rate (default: 0.002; 0.01 with the paper's schedule)", positive)
    .addOption(
      new Option("--schedule <name>", "course of the learning rate in each round; paper: divided by 10 three times")
        .choices(["cosine", "paper", "constant"])
        .default("cosine"),
    )
    .option("--crop <pixels>", "shift images by up to so many pixels in training", whole(0), defaults.augmentation.crop)
    .option("--flip", "mirror images at random in training")
    .option("--test <path>", "test images to report on; with labels for accuracy")
    .option("--holdout <count>", "without --test: other images of --images to report agreement on", whole(0), 1000)
    .option("--seed <seed>", "seed of all random numbers", whole(0), defaults.seed)
    .action(async (options: CommandOptions) => {
      const progress = createProgress(options.quiet);
      const result = await withDevice(options, progress, (device) => run(device, options, progress, signal));
      process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${describeRun(result, options.out)}\n`);
    });
}

/** What `summary.json` holds. */
export interface Summary {
  readonly version: string;
  readonly seed: number;
  readonly device: DeviceRecord;
  readonly dataset: string;
  readonly n: number;
  readonly strategy: string;
  /** Where candidates were blended to be scored: in 8 bits (pixels) or after the first layer's linear part (features). */
  readonly blendAt?: DistillReport["blendAt"];
  readonly queries: number;
  readonly budget: number;
  /** Teacher answers about test or held-out images: outside the budget, never trained on. */
  readonly evaluationQueries: number;
  /** What `agreement` and `accuracy` are measured on. */
  readonly evaluation?: string;
  readonly interrupted: boolean;
  readonly teacher: { readonly file: string; readonly accuracy?: number };
  readonly student: { readonly architecture: string; readonly accuracy?: number; readonly agreement?: number };
  readonly seconds: DistillReport["seconds"];
  readonly rounds: readonly RoundReport[];
}

async function run(device: Device, options: CommandOptions, progress: Progress, signal: AbortSignal): Promise<Summary> {
  const method = methodOptions(options);
  const all = await openImageSet(options.images);
  const chosen = sampleIndices(all, options.n, options.seed);
  const images = subset(all, chosen);
  const teacherNetwork = await openNetwork(device, "--teacher", options.teacher);
  const { classes, classNames } = teacherNetwork.spec;
  const teacher = await NetworkTeacher.create(teacherNetwork, options.teacher);
  teacher.checkShape(images);
  const student = options.student.endsWith(".safetensors")
    ? await openNetwork(device, "--student", options.student)
    : new Network(device, specFor(options.student, images, classes, classNames && [...classNames]), options.seed);
  const evaluation = options.test ? await openImageSet(options.test) : holdOut(all, chosen, options);
  planDistill({ images, teacher, student, evaluation, options: method });
  const folder = await RunFolder.create(options.out);
  await folder.writeConfig({
    version,
    ...options,
    ...method,
    chosen: Array.from(chosen),
    network: student.spec,
    tuned: device.capabilities.tuned,
  });

  const summarise = (report: DistillReport): Summary => ({
    version,
    seed: options.seed,
    device: deviceRecord(device),
    dataset: all.name,
    n: options.n,
    strategy: options.strategy,
    blendAt: report.blendAt,
    queries: report.queries,
    budget: options.budget,
    evaluationQueries: report.evaluationQueries,
    ...(evaluation ? { evaluation: evaluation.name } : {}),
    interrupted: report.interrupted,
    teacher: { file: options.teacher, accuracy: report.teacherAccuracy },
    student: { architecture: student.spec.architecture, ...report.rounds.at(-1)?.student },
    seconds: report.seconds,
    rounds: report.rounds,
  });
  const report = await distill({
    images,
    teacher,
    student,
    evaluation,
    options: method,
    signal,
    observer: {
      onAnswers: (answers) => folder.appendAnswers(answers),
      onProgress: (phase, round, done, total) => {
        progress.update(`round ${round} ${phase}`, done, total, units[phase]);
      },
      onRound: async (round, soFar) => {
        progress.say(describeRound(round));
        await folder.appendRound(round);
        await folder.writeStudent(await encodeNetwork(student));
        await folder.writeSummary(summarise(soFar));
      },
    },
  });
  progress.end();
  const summary = summarise(report);
  if (report.interrupted) {
    // Before the first round is done, the student as it stands is better than none.
    if (report.rounds.length === 0) await folder.writeStudent(await encodeNetwork(student));
    await folder.writeSummary(summary);
  }
  return summary;
}

const units = { prepare: "", select: "pairs", query: "queries", train: "steps", evaluate: "images" };

const schedules: Record<CommandOptions["schedule"], Schedule> = {
  cosine: defaultDistillOptions.schedule,
  paper: paperSchedule,
  constant: { kind: "constant", rate: defaultDistillOptions.schedule.rate },
};

function methodOptions(options: CommandOptions): DistillOptions {
  const { budget, rounds, perRound, strategy, lambdas, pool, epochs, steps, batch, seed } = options;
  const schedule = schedules[options.schedule];
  return {
    ...{ budget, rounds, perRound, strategy, lambdas, pool, epochs, steps, batch, seed },
    optimizer: { adam: plainAdam, sgd: paperSgd }[options.optimizer],
    schedule: { ...schedule, rate: options.rate ?? schedule.rate },
    restart: options.restart ?? false,
    blendAt: options.exactBlends ? "pixels" : undefined,
    augmentation: { crop: options.crop, flip: options.flip ?? false },
  };
}

/** Images that are not among the chosen, without their labels: what agreement is measured on without a test set. */
function holdOut(all: ImageSet, chosen: Uint32Array, { holdout, seed }: CommandOptions): ImageSet | undefined {
  const isChosen = new Set(chosen);
  const others = Uint32Array.from({ length: all.count }, (_, index) => index).filter((index) => !isChosen.has(index));
  const count = Math.min(holdout, others.length);
  if (count === 0) return undefined;
  const held = new Philox(seed, RandomStream.split).sample(count, others.length).map((index) => others[index]);
  return { ...subset(all, held), name: `${count} held-out images of ${all.name}`, labels: undefined, classes: 0 };
}

function describeRound({ round, queries, loss, student, seconds }: RoundReport): string {
  const spent = Object.values(seconds).reduce((sum, value) => sum + value, 0);
  const score = student
    ? `, agreement ${percent(student.agreement)}${student.accuracy === undefined ? "" : `, accuracy ${percent(student.accuracy)}`}`
    : "";
  return `round ${round}: ${queries} queries, loss ${loss.toFixed(4)}${score}, ${spent.toFixed(1)} s`;
}

function describeRun(summary: Summary, out: string): string {
  const rows = summary.rounds.map(({ round, queries, steps, loss, student, seconds }) => [
    String(round),
    ...[queries, steps].map(String),
    loss.toFixed(4),
    percent(student?.agreement),
    percent(student?.accuracy),
    ...[seconds.select, seconds.query, seconds.train].map((value) => `${value.toFixed(1)} s`),
  ]);
  const head = ["round", "queries", "steps", "loss", "agreement", "accuracy", "select", "query", "train"];
  const ended = summary.interrupted ? "stopped early" : "done";
  const teacher =
    summary.teacher.accuracy === undefined ? "" : `; the teacher's accuracy is ${percent(summary.teacher.accuracy)}`;
  return [
    formatTable([head, ...rows]),
    `${ended}: ${summary.queries} of ${summary.budget} queries, strategy ${summary.strategy}${teacher}`,
    ...(summary.evaluation
      ? [`measured on ${summary.evaluation}: ${summary.evaluationQueries} answers outside the budget`]
      : []),
    `the run is in ${out}`,
  ].join("\n");
}
