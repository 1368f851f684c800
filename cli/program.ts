import { Command } from "commander";
import { dataCommand } from "./commands/data.js";
import { demoCommand } from "./commands/demo.js";
import { distillCommand } from "./commands/distill.js";
import { doctorCommand } from "./commands/doctor.js";
import { evaluateCommand } from "./commands/evaluate.js";
import { experimentCommand } from "./commands/experiment.js";
import { exportCommand } from "./commands/export.js";
import { importCommand } from "./commands/import.js";
import { ledgerCommand } from "./commands/ledger.js";
import { predictCommand } from "./commands/predict.js";
import { reportCommand } from "./commands/report.js";
import { serveCommand } from "./commands/serve.js";
import { trainCommand } from "./commands/train.js";
import { tuneCommand } from "./commands/tune.js";
import { withCommonOptions, withOutputOptions } from "./common-options.js";
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
  for (const make of [
    demoCommand,
    trainCommand,
    distillCommand,
    evaluateCommand,
    predictCommand,
    experimentCommand,
    serveCommand,
    tuneCommand,
    doctorCommand,
  ]) {
    program.addCommand(withCommonOptions(make(signal)));
  }
  for (const make of [exportCommand, importCommand]) program.addCommand(withOutputOptions(make()));
  return program.addCommand(reportCommand(signal)).addCommand(ledgerCommand()).addCommand(dataCommand(signal));
}
