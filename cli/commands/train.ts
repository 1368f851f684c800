import { Command } from "commander";
import type { CommonOptions } from "../common-options.js";
import { withDevice } from "../device.js";
import { checkWritable } from "../files.js";
import { createProgress } from "../progress.js";
import { percent } from "../table.js";
import { withTrainOptions, type TrainCommandOptions } from "../train/options.js";
import { openLabelledImages, trainNetwork, type TrainResult } from "../train/train.js";

/** `activemixup train`: a network from labelled images, to be a teacher. */
export function trainCommand(signal: AbortSignal): Command {
  const command = new Command("train").description("train a network on labelled images, for example to be a teacher");
  return withTrainOptions(command).action(async (options: CommonOptions & TrainCommandOptions) => {
    const progress = createProgress(options.quiet);
    const images = await openLabelledImages(options, progress, signal);
    await checkWritable("--out", options.out);
    const result = await withDevice(options, progress, (device) =>
      trainNetwork(device, images, options, progress, signal),
    );
    if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    else process.stdout.write(`${describeResult(result, options)}\n`);
  });
}

function describeResult(result: TrainResult, { epochs }: TrainCommandOptions): string {
  const done = result.interrupted ? `stopped after ${Math.floor(result.epochs)} of ${epochs} epochs; ` : "";
  if (result.out === undefined) return `${done}nothing is written`;
  const loss = result.loss === undefined ? "" : `, loss ${result.loss.toFixed(4)}`;
  const accuracy = result.accuracy === undefined ? "" : `, test accuracy ${percent(result.accuracy)}`;
  return `${done}${result.out}: ${result.model}${loss}${accuracy}, ${result.seconds.toFixed(0)} s`;
}
