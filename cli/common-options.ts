import { Option, type Command } from "commander";
import { version } from "./version.js";

/** Options that every subcommand takes. */
export interface CommonOptions {
  readonly device: "auto" | "webgpu" | "cpu";
  readonly profile: "fast" | "safe";
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Adds the options that every subcommand takes. */
export function withCommonOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--device <device>", "what computes: a GPU or software WebGPU adapter, or the CPU reference")
        .choices(["auto", "webgpu", "cpu"])
        .default("auto"),
    )
    .addOption(
      new Option("--profile <profile>", "how Dawn runs kernels: without validation and bounds checks, or with them")
        .choices(["fast", "safe"])
        .default("fast"),
    )
    .option("--json", "print one JSON object on stdout")
    .option("--quiet", "no progress on stderr")
    .version(version)
    .exitOverride()
    .helpOption("-h, --help", "show this help");
}
