import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { Command, Option } from "commander";
import { readLabels } from "../../src/activemixup/teacher/settings-file.node.js";
import { InputError } from "../../src/errors.js";
import type { UnreadableImage } from "../../src/data/index.js";
import { Predictor } from "../../src/nn/index.js";
import type { Device } from "../../src/tensor/index.js";
import type { CommonOptions } from "../common-options.js";
import { withDevice } from "../device.js";
import { checkWritable, writeWhole } from "../files.js";
import { withNetworkImageOptions, type ImageCommandOptions } from "../images.js";
import { openNetwork } from "../networks.js";
import { checkNotInput } from "../own-input.js";
import { whole } from "../parse.js";
import { imageBatches } from "../predict/batches.js";
import { csvLines, jsonLines, Predictions, textLines, type Format } from "../predict/predictions.js";
import { countOf, findSources, type ImageSource } from "../predict/sources.js";
import { createProgress, type Progress } from "../progress.js";
import { deviceRecord } from "../tuning.js";
import { version } from "../version.js";

interface PredictOptions extends CommonOptions, Pick<ImageCommandOptions, "fit" | "background" | "skipBad"> {
  readonly model: string;
  readonly top: number;
  readonly csv?: boolean;
  readonly labels?: string;
  readonly out?: string;
}

/** Images on the device at a time, and in one step of the network; fewer where they are large. */
const BATCH = 1024;
const BATCH_BYTES = 2 ** 26;
/** Characters that are printed at once. */
const PIECE = 2 ** 16;

/** `activemixup predict`: what a network says of images. */
export function predictCommand(signal: AbortSignal): Command {
  const command = new Command("predict")
    .description("classify images: of each the likeliest classes, with their probabilities")
    .argument("<images...>", "image files, folders of them, or data sets (PATH or PATH:train or PATH:test)")
    .requiredOption("--model <file>", "the network (safetensors)")
    .option("--top <count>", "classes to tell of each image", whole(1), 3)
    .option("--labels <file>", "names of the classes, one a line, where the network's file has none, or others")
    .addOption(new Option("--csv", "print CSV, a line an image").conflicts("json"))
    .option("--out <file>", "write to this file instead of stdout, as CSV or JSON where it ends in .csv or .json");
  return withNetworkImageOptions(command).action(async (images: string[], options: PredictOptions) => {
    if (options.csv && options.out?.endsWith(".json")) {
      throw new InputError(`--csv is of no account to --out ${options.out}, which is to be JSON; leave it out`);
    }
    const progress = createProgress(options.quiet);
    const classNames = options.labels === undefined ? undefined : await readLabels(options.labels);
    const sources = await findSources(images);
    if (options.out !== undefined) {
      await checkNotInput(options.out, inputsOf(images, sources, options));
      await checkWritable("--out", options.out);
    }
    await withDevice(options, progress, async (device) => {
      const { predictions, about } = await predict(device, sources, classNames, options, progress, signal);
      const lines = formatOf(options, about)(predictions);
      if (options.out === undefined) return print(lines);
      await writeWhole(options.out, lines);
      const count = predictions.names.length;
      const summary = options.json ? JSON.stringify({ ...about, out: options.out }) : `${options.out}: ${count} images`;
      process.stdout.write(`${summary}\n`);
    });
  });
}

/** The files that are read, but for those of data sets in folders. */
function inputsOf(images: readonly string[], sources: readonly ImageSource[], { model, labels }: PredictOptions) {
  const files = sources.flatMap((source) => (source.kind === "files" ? source.paths : []));
  return [model, ...(labels === undefined ? [] : [labels]), ...images, ...files];
}

async function predict(
  device: Device,
  sources: readonly ImageSource[],
  labels: readonly string[] | undefined,
  { model, top, fit, background, skipBad }: PredictOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<{ predictions: Predictions; about: object }> {
  const network = await openNetwork(device, "--model", model);
  try {
    const { image, classes, classNames, architecture } = network.spec;
    if (labels && labels.length !== classes) {
      throw new InputError(`--labels names ${labels.length} classes; ${model} has ${classes}: name each of them`);
    }
    const total = countOf(sources);
    const size = image.channels * image.height * image.width;
    const batch = Math.max(1, Math.min(BATCH, total, Math.floor(BATCH_BYTES / size)));
    const predictions = new Predictions(Math.min(top, classes), labels ?? classNames);
    const unreadable: UnreadableImage[] = [];
    const predictor = await Predictor.create(network, batch);
    try {
      const wanted = { image, model, fit, background, skipBad };
      for await (const { names, pixels, unreadable: bad } of imageBatches(sources, batch, wanted, signal)) {
        for (const { file, reason } of bad) {
          progress.say(`left out: ${reason}`);
          unreadable.push({ file, reason });
        }
        if (names.length > 0) predictions.add(names, (await predictor.predict(pixels, signal)).probabilities);
        progress.update("predicting", predictions.names.length + unreadable.length, total, "images");
      }
    } finally {
      predictor.dispose();
      progress.end();
    }
    const about = {
      version,
      device: deviceRecord(device),
      model: { file: model, architecture },
      images: predictions.names.length,
      ...(unreadable.length > 0 ? { unreadable } : {}),
    };
    return { predictions, about };
  } finally {
    network.dispose();
  }
}

/** A file's ending decides what it holds, whatever is printed. */
function formatOf({ json, csv, out }: PredictOptions, about: object): Format {
  const ending = ["csv", "json"].find((format) => out?.endsWith(`.${format}`));
  if (ending === "csv" || csv) return csvLines;
  if (ending === "json" || json) return jsonLines(about);
  return textLines;
}

/**
 * Lines to stdout in larger pieces, at the reader's speed; a fault ends it, be it a full disk, of which the command line
 * tells, or a reader that has seen enough, as `head` has.
 */
async function print(lines: Iterable<string>): Promise<void> {
  const { stdout } = process;
  let failed = false;
  const onError = () => {
    failed = true;
  };
  stdout.on("error", onError);
  try {
    let piece = "";
    for (const line of lines) {
      piece += line;
      if (piece.length < PIECE) continue;
      // Both reject where there is a fault meanwhile.
      if (!stdout.write(piece)) await Promise.race([once(stdout, "drain"), once(stdout, "close")]).catch(onError);
      piece = "";
      if (failed) return;
    }
    stdout.write(piece);
    // A fault of the last piece is told after this turn of the event loop.
    await setImmediate();
  } finally {
    stdout.off("error", onError);
  }
}
