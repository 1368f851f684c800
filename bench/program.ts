import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { whole } from "../cli/parse.js";
import { createProgress, formatSeconds } from "../cli/progress.js";
import { InputError } from "../src/errors.js";
import { openDevice, type Device } from "../src/tensor/index.js";
import { cases, type Case } from "./cases/index.js";
import { compareReports, formatComparison } from "./compare.js";
import { formatReport, formatSetting } from "./format.js";
import { fullSampling, quickSampling } from "./measure.js";
import { formatMemory, planSteps } from "./memory.js";
import { parseReport, type ComparableReport, type Profile, type Report } from "./report.js";
import { formatServe, measureServe } from "./serve.js";
import { describeSetting } from "./setting.js";
import { chooseCases, runSuite, variantsOf } from "./suite.js";
import { measuredVariants } from "./tuned.js";

interface BenchOptions {
  readonly full: boolean;
  readonly filter: string;
  readonly profile: Profile;
  readonly json: boolean;
  readonly compare?: string;
  readonly with?: string;
  readonly list: boolean;
  readonly memory: boolean;
  readonly variants: boolean;
  readonly tuned: boolean;
  readonly serve?: number;
}

/** The command line of `npm run bench`. */
export function createBench(signal: AbortSignal): Command {
  return new Command("bench")
    .description("time the kernels, training, inference and pool scoring on this machine's WebGPU adapter")
    .option("--full", "all rows, with more samples: several times as long", false)
    .option("--filter <text>", "only rows whose names hold the text", "")
    .addOption(
      new Option("--profile <name>", "Dawn's toggles: fast leaves out validation and bounds checks")
        .choices(["safe", "fast"])
        .default("safe"),
    )
    .option("--json", "print one JSON object", false)
    .option("--compare <file>", "an earlier --json: print the ratio of each row, new over old")
    .option("--with <file>", "compare with this --json instead of measuring anew")
    .option("--list", "print the names of the rows and measure nothing", false)
    .option("--memory", "print the device memory of a training step, planned and not run", false)
    .option(
      "--variants",
      "time every variant of the products and convolutions instead of the one that would run",
      false,
    )
    .option(
      "--tuned",
      "run the variants that `activemixup tune` found on this device where they are not the rule's",
      false,
    )
    .option(
      "--serve <queries>",
      "send so many queries, a multiple of 10, through `serve` on loopback: throughput and memory",
      tens,
    )
    .helpOption("-h, --help", "show this help")
    .showSuggestionAfterError()
    .exitOverride()
    .action(async (options: BenchOptions) => {
      const before = options.compare === undefined ? undefined : readReport("--compare", options.compare);
      if (options.with !== undefined) {
        if (!before) throw new InputError("--with names the newer of two reports; name the older one by --compare");
        printComparison(before, readReport("--with", options.with), options.json);
      } else if (options.memory && options.filter !== "") {
        throw new InputError("--filter is of rows that are timed, and --memory times none: leave it out");
      } else if (options.list) {
        printList(options);
      } else {
        await onDevice(options, (device) =>
          options.memory
            ? printMemory(device, options)
            : options.serve === undefined
              ? printSuite(device, options, before, signal)
              : printServe(device, options.serve, options),
        );
      }
    });
}

function readReport(option: string, file: string): ComparableReport {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new InputError(`${option} ${file}: cannot be read (${(error as Error).message})`);
  }
  return parseReport(text, `${option} ${file}`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function printComparison(before: ComparableReport, after: ComparableReport, json: boolean): void {
  const comparison = compareReports(before, after);
  print(json ? JSON.stringify(comparison) : formatComparison(comparison));
}

function printList(options: BenchOptions): void {
  const chosen = choose(options, false);
  const marks = ({ full, hardware }: Case) => `${full ? "  (--full)" : ""}${hardware ? "  (hardware only)" : ""}`;
  const rows = chosen.map((entry) => ({
    name: entry.name,
    full: entry.full ?? false,
    hardware: entry.hardware ?? false,
  }));
  print(options.json ? JSON.stringify(rows) : chosen.map((entry) => `${entry.name}${marks(entry)}`).join("\n"));
}

async function onDevice(options: BenchOptions, body: (device: Device) => Promise<void>): Promise<void> {
  // A filter that fits nothing is refused before Dawn starts.
  if (!options.memory) choose(options, false);
  const { profile, tuned } = options;
  const device = await openDevice("webgpu", {
    profile,
    ...(tuned ? { tuned: (opened) => measuredVariants(opened, profile) } : {}),
    onTunedFailure: (message) => {
      say(`warning: ${message}`);
    },
  });
  try {
    await body(device);
  } finally {
    device.destroy();
  }
}

async function printMemory(device: Device, { profile, json }: BenchOptions): Promise<void> {
  const setting = describeSetting(device, profile);
  const steps = await planSteps(device);
  print(json ? JSON.stringify({ ...setting, steps }) : `${formatSetting(setting, "memory")}\n\n${formatMemory(steps)}`);
}

async function printServe(device: Device, queries: number, { profile, json }: BenchOptions): Promise<void> {
  const setting = describeSetting(device, profile);
  const progress = createProgress(json);
  const report = await measureServe(device, queries, (done) => {
    progress.update("serve", done, queries, "queries");
  });
  progress.end();
  print(
    json
      ? JSON.stringify({ ...setting, serve: report })
      : `${formatSetting(setting, "serve")}\n\n${formatServe(report)}`,
  );
}

/** A number of queries that can be told in tenths. */
function tens(text: string): number {
  const value = whole(10)(text);
  if (value % 10 !== 0) throw new InvalidArgumentError("expected a multiple of 10.");
  return value;
}

/** Measures the ceilings and then the rows; after Ctrl-C prints those that are measured. */
async function printSuite(
  device: Device,
  options: BenchOptions,
  before: ComparableReport | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { profile, full, json } = options;
  const eligible = choose(options, device.info.software);
  const chosen = options.variants ? variantsOf(eligible, device) : eligible;
  if (chosen.length === 0) {
    throw new InputError(`--variants: no row that --filter "${options.filter}" fits has variants`);
  }
  const sampling = full ? fullSampling : quickSampling;
  const started = performance.now();
  say(`ceilings, then ${chosen.length} rows`);
  const { ceilings, rows } = await runSuite(device, chosen, sampling, profile, {
    signal,
    onCase: ({ name }, done) => {
      say(progress(done, chosen.length, name, (performance.now() - started) / 1000));
    },
  });
  say(`${rows.length} rows took ${formatSeconds((performance.now() - started) / 1000)}`);
  const report: Report = { suite: full ? "full" : "quick", ...describeSetting(device, profile), ceilings, rows };
  const comparison = before && compareReports(before, report);
  if (json) print(JSON.stringify(comparison ? { ...report, comparison } : report));
  else print([formatReport(report), ...(comparison ? [formatComparison(comparison)] : [])].join("\n\n"));
  signal.throwIfAborted();
}

/** The cases that the options choose. */
function choose(options: Pick<BenchOptions, "filter" | "full">, software: boolean): Case[] {
  const chosen = chooseCases(cases, { ...options, software });
  if (chosen.length > 0) return chosen;
  throw new InputError(
    `--filter "${options.filter}" fits no row${options.full ? "" : " of the quick run"}${software ? " for this adapter" : ""}; ` +
      "--list --full shows all rows",
  );
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** `[ 3/42] matmul 512³, 1:05 left`: the time left is estimated from the rows before, the ceilings counted as one. */
export function progress(done: number, total: number, name: string, seconds: number): string {
  const left = (seconds / (done + 1)) * (total - done);
  return `[${String(done + 1).padStart(String(total).length)}/${total}] ${name}, ${formatSeconds(left)} left`;
}
