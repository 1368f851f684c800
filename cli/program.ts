import { Command, Option } from "commander";
import { demoCommand } from "./commands/demo.js";
import { distillCommand } from "./commands/distill.js";
import { doctorCommand } from "./commands/doctor.js";
import { evaluateCommand } from "./commands/evaluate.js";
import { trainCommand } from "./commands/train.js";
import { version } from "./version.js";

/** The command line: one subcommand a file in `commands/`. */
export function createProgram(signal: AbortSignal): Command {
  const program = new Command("activemixup")
    .description(
      "Train a small student network from a few images and a counted number of queries to a black-box teacher.",
    )
    .version(version)
    .showSuggestionAfterError()
    .exitOverride();
  for (const make of [demoCommand, trainCommand, distillCommand, evaluateCommand, doctorCommand]) {
    program.addCommand(withCommonOptions(make(signal)));
  }
  return program;
}

/** Options that every subcommand takes. */
export interface CommonOptions {
  readonly device: "auto" | "webgpu" | "cpu";
  readonly json?: boolean;
  readonly quiet?: boolean;
}

function withCommonOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--device <device>", "what computes: a GPU or software WebGPU adapter, or the CPU reference")
        .choices(["auto", "webgpu", "cpu"])
        .default("auto"),
    )
    .option("--json", "print one JSON object on stdout")
    .option("--quiet", "no progress on stderr")
    .version(version)
    .exitOverride()
    .helpOption("-h, --help", "show this help");
}
