import { Option, type Command } from "commander";
import { version } from "./version.js";

/** Options that every subcommand takes. */
export interface OutputOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Options of every subcommand that computes. */
export interface CommonOptions extends OutputOptions {
  readonly device: "auto" | "webgpu" | "cpu";
  readonly profile: "fast" | "safe";
}

/** Adds the options of every subcommand that computes. */
export function withCommonOptions(command: Command): Command {
  command
    .addOption(
      new Option("--device <device>", "what computes: a GPU or software WebGPU adapter, or the CPU reference")
        .choices(["auto", "webgpu", "cpu"])
        .default("auto"),
    )
    .addOption(
      new Option("--profile <profile>", "how Dawn runs kernels: without validation and bounds checks, or with them")
        .choices(["fast", "safe"])
        .default("fast"),
    );
  return withOutputOptions(command);
}

/** Adds the options of every subcommand, those that need no device included. */
export function withOutputOptions(command: Command): Command {
  return withHelp(
    command.option("--json", "print one JSON object on stdout").option("--quiet", "no progress on stderr"),
  );
}

/** Adds help and version, and makes mistakes exceptions: what a command that only groups others takes. */
export function withHelp(command: Command): Command {
  return command.version(version).exitOverride().helpOption("-h, --help", "show this help");
}
