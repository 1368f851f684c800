import { Command } from "commander";
import { checkClassNames, share } from "../../src/activemixup/index.js";
import { checkLabels, type ImageSet, type UnreadableImage } from "../../src/data/index.js";
import { InputError } from "../../src/errors.js";
import { Predictor } from "../../src/nn/index.js";
import type { Device } from "../../src/tensor/index.js";
import { withDevice } from "../device.js";
import { openImages, withImageOptions, type ImageCommandOptions } from "../images.js";
import { openNetwork } from "../networks.js";
import type { CommonOptions } from "../common-options.js";
import { createProgress } from "../progress.js";
import { percent } from "../table.js";
import { deviceRecord, type DeviceRecord } from "../tuning.js";
import { version } from "../version.js";

interface EvaluateOptions extends CommonOptions, ImageCommandOptions {
  readonly model: string;
  readonly data: string;
  readonly teacher?: string;
}

/** `activemixup evaluate`: accuracy on labelled images, and agreement with a teacher. */
export function evaluateCommand(signal: AbortSignal): Command {
  const command = new Command("evaluate")
    .description("measure a network's accuracy on labelled images and its agreement with a teacher")
    .requiredOption("--model <file>", "the network (safetensors)")
    .requiredOption("--data <path>", "images: PATH or PATH:train or PATH:test; labels are needed without --teacher")
    .option("--teacher <file>", "a teacher to compare with (safetensors)");
  return withImageOptions(command).action(async (options: EvaluateOptions) => {
    const progress = createProgress(options.quiet);
    const data = await openImages(options.data, options, progress, signal);
    if (/^(https?|exec|module|onnx):/i.test(options.teacher ?? "")) {
      throw new InputError(
        "--teacher of evaluate is a network file; for agreement with another teacher, see distill --test with --ask-test",
      );
    }
    if (!data.labels && options.teacher === undefined) {
      throw new InputError(`--data ${options.data} has no labels; give labelled images, or --teacher to compare with`);
    }
    const result = await withDevice(options, progress, (device) => evaluate(device, data, options, signal));
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${describeResult(result)}\n`);
  });
}

interface EvaluateResult {
  readonly version: string;
  readonly device: DeviceRecord;
  readonly dataset: string;
  readonly images: number;
  /** Image files that `--skip-bad` left out. */
  readonly unreadable?: readonly UnreadableImage[];
  readonly model: { readonly file: string; readonly architecture: string; readonly accuracy?: number };
  readonly teacher?: { readonly file: string; readonly accuracy?: number };
  readonly agreement?: number;
}

async function evaluate(
  device: Device,
  data: ImageSet,
  options: EvaluateOptions,
  signal: AbortSignal,
): Promise<EvaluateResult> {
  const predict = async (option: string, file: string) => {
    const network = await openNetwork(device, option, file);
    const { spec } = network;
    const { channels, height, width } = spec.image;
    if (channels !== data.channels || height !== data.height || width !== data.width) {
      throw new InputError(
        `${option} ${file} takes images of ${channels} × ${height} × ${width}; ` +
          `${data.name} holds ${data.channels} × ${data.height} × ${data.width}: give images of the network's size (--size ${height}x${width} --channels ${channels})`,
      );
    }
    if (data.labels) checkLabels(data, spec.classes);
    checkClassNames(data, spec.classNames);
    const predictor = await Predictor.create(network, Math.min(data.count, 2048));
    try {
      return { spec, labels: (await predictor.predict(data.pixels, signal)).labels };
    } finally {
      predictor.dispose();
      network.dispose();
    }
  };
  const accuracy = (labels: Uint32Array) => data.labels && share(labels, data.labels);
  const model = await predict("--model", options.model);
  const teacher = options.teacher === undefined ? undefined : await predict("--teacher", options.teacher);
  if (teacher && teacher.spec.classes !== model.spec.classes) {
    throw new InputError(
      `--model ${options.model} has ${model.spec.classes} classes and --teacher ${options.teacher} ` +
        `${teacher.spec.classes}; only networks of the same classes can agree`,
    );
  }
  const [own, others] = [model.spec.classNames, teacher?.spec.classNames];
  const at = own && others ? own.findIndex((name, index) => name !== others[index]) : -1;
  if (at >= 0) {
    throw new InputError(
      `class ${at} is "${own![at]}" to --model ${options.model} and "${others![at]}" to --teacher ${options.teacher}; ` +
        `only networks of the same classes in the same order can agree`,
    );
  }
  return {
    version,
    device: deviceRecord(device),
    dataset: data.name,
    images: data.count,
    ...(data.unreadable ? { unreadable: data.unreadable } : {}),
    model: { file: options.model, architecture: model.spec.architecture, accuracy: accuracy(model.labels) },
    ...(teacher
      ? {
          teacher: { file: options.teacher!, accuracy: accuracy(teacher.labels) },
          agreement: share(model.labels, teacher.labels),
        }
      : {}),
  };
}

function describeResult({ dataset, images, model, teacher, agreement }: EvaluateResult): string {
  const lines = [`${images} images of ${dataset}`];
  if (model.accuracy !== undefined)
    lines.push(`accuracy of ${model.file} (${model.architecture}): ${percent(model.accuracy)}`);
  if (teacher?.accuracy !== undefined) lines.push(`accuracy of ${teacher.file}: ${percent(teacher.accuracy)}`);
  if (agreement !== undefined) lines.push(`agreement of the two: ${percent(agreement)}`);
  return lines.join("\n");
}
