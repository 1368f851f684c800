import { Command, Option } from "commander";
import { InputError } from "../../src/errors.js";
import { encodeTuning, tune, tuningKey, winnerOf, withMeasured, type Measured } from "../../src/kernels/index.js";
import { clearTuning, readTuning } from "../../src/kernels/tune/store.node.js";
import { architectures, Network, networkProblems, type ImageShape } from "../../src/nn/index.js";
import { openDevice, type Device, type Problem } from "../../src/tensor/index.js";
import type { CommonOptions } from "../common-options.js";
import { withDevice } from "../device.js";
import { checkWritable, writeWhole } from "../files.js";
import { imageShape, wholes, whole } from "../parse.js";
import { createProgress, type Progress } from "../progress.js";
import { describeMeasured, summariseMeasured } from "../tuning.js";
import { version } from "../version.js";

interface TuneOptions extends CommonOptions {
  readonly model: readonly string[];
  readonly all?: boolean;
  readonly image?: ImageShape;
  readonly classes: number;
  readonly batch: readonly number[];
  readonly scoringBatch: readonly number[];
  readonly only: string;
  readonly again?: boolean;
  readonly list?: boolean;
  readonly clear?: boolean;
}

/** Sizes of the images of the published experiments. */
const MNIST: ImageShape = { channels: 1, height: 28, width: 28 };
const CIFAR: ImageShape = { channels: 3, height: 32, width: 32 };

/** `activemixup tune`: which variants of the kernels are the fastest on this device. */
export function tuneCommand(signal: AbortSignal): Command {
  return (
    new Command("tune")
      .description(
        "measure which variants of the kernels are the fastest on this device, for the sizes that networks have; " +
          "every command runs them from then on",
      )
      .addOption(
        new Option("--model <name...>", `networks to tune for: ${architectures.join(", ")}`).default([
          "lenet5",
          "lenet5-half",
        ]),
      )
      .addOption(new Option("--all", "tune for every network").conflicts("model"))
      .option("--image <CxHxW>", "channels, height and width (default: 1x28x28 for LeNets, else 3x32x32)", imageShape)
      .option("--classes <count>", "classes that the networks tell apart", whole(1), 10)
      .option("--batch <list>", "images in training steps", wholes(1), [64, 128])
      // Of prediction, and of scoring by the paper's 11 λ.
      .option("--scoring-batch <list>", "images in forward passes without training", wholes(1), [256, 1023])
      .option("--only <text>", 'only problems whose name in the table holds the text: "conv2d", "matmul 64x"', "")
      .option("--again", "measure anew what was measured before")
      .addOption(new Option("--list", "show what was measured on this device, and measure nothing"))
      .addOption(new Option("--clear", "forget all that was measured, on every device").conflicts("list"))
      .action(async (options: TuneOptions) => {
        const progress = createProgress(options.quiet);
        if (options.clear) {
          const folder = await clearTuning();
          process.stdout.write(options.json ? `${JSON.stringify({ cleared: folder })}\n` : `${folder} is removed\n`);
          return;
        }
        const result = await run(options, progress, signal);
        process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${describeResult(result, options)}\n`);
      })
  );
}

interface TuneResult {
  readonly version: string;
  readonly device: Device["info"];
  /** Where the measurements are kept. */
  readonly file: string;
  readonly interrupted: boolean;
  readonly problems: readonly (Measured & { readonly winner: string })[];
}

async function run(options: TuneOptions, progress: Progress, signal: AbortSignal): Promise<TuneResult> {
  const { info, key, stored, problems } = await withDevice(options, progress, async (device) => {
    if (device.info.kind === "cpu") throw nothingToTune(options.device);
    const key = await tuningKey(device);
    const problems = options.list ? [] : problemsFor(device, options);
    return { info: device.info, key, stored: await readTuning(key), problems };
  });
  let tuning = stored.tuning ?? { key, problems: [] };
  const known = new Set(options.again ? [] : tuning.problems.map((measured) => measured.key));
  const missing = problems.filter((problem) => !known.has(problem.key));
  if (known.size > 0 && missing.length < problems.length) {
    progress.say(`${problems.length - missing.length} of ${problems.length} problems were measured before`);
  }
  if (missing.length > 0) {
    await checkWritable("the cache", stored.path, "set XDG_CACHE_HOME to a folder where you may write");
    await tune(() => openDevice("webgpu", { poison: true, profile: options.profile }), missing, {
      signal,
      onProgress: (done, total) => {
        progress.update("tuning", done, total, "candidates");
      },
      onMeasured: async (measured) => {
        tuning = withMeasured(tuning, measured);
        await writeWhole(stored.path, encodeTuning(tuning));
      },
    });
    progress.end();
  }
  const asked = new Set(problems.map((problem) => problem.key));
  const isShown = options.list ? (key: string) => key.includes(options.only) : (key: string) => asked.has(key);
  const shown = tuning.problems.filter(({ key }) => isShown(key));
  return {
    version,
    device: info,
    file: stored.path,
    interrupted: signal.aborted,
    problems: shown.map((measured) => ({ ...measured, winner: winnerOf(measured) })),
  };
}

function nothingToTune(choice: CommonOptions["device"]): InputError {
  const found = choice === "cpu" ? "--device cpu: " : "no WebGPU adapter answers, and ";
  return new InputError(
    `${found}the CPU reference has one variant of each kernel, nothing to tune: take --device webgpu; ` +
      `\`activemixup doctor\` tells how to get an adapter`,
  );
}

/**
 * The problems of the networks that the options name, each once.
 * @throws InputError where `--only` leaves none.
 */
function problemsFor(device: Device, options: TuneOptions): Problem[] {
  const problems = new Map<string, Problem>();
  for (const architecture of options.all ? architectures : options.model) {
    const image = options.image ?? (architecture.startsWith("lenet") ? MNIST : CIFAR);
    const mean = new Array<number>(image.channels).fill(0.5);
    const spec = { architecture, image, classes: options.classes, mean, deviation: mean };
    const network = new Network(device, spec, 0);
    const batches = { training: options.batch, inference: options.scoringBatch };
    for (const problem of networkProblems(network, batches)) problems.set(problem.key, problem);
    network.dispose();
  }
  const chosen = [...problems.values()].filter(({ key }) => key.includes(options.only));
  if (chosen.length > 0) return chosen;
  throw new InputError(
    `--only "${options.only}": in the name of none of the ${problems.size} problems, for example ` +
      `"${[...problems.keys()][0]}"`,
  );
}

function describeResult({ problems, file, interrupted }: TuneResult, { only }: TuneOptions): string {
  const ended = interrupted ? "stopped early: " : "";
  const named = only === "" ? "" : ` whose name holds "${only}"`;
  if (problems.length === 0) return `${ended}nothing${named} is measured yet on this device`;
  return [describeMeasured(problems), `${ended}${summariseMeasured(problems)}; kept in ${file}`].join("\n");
}
