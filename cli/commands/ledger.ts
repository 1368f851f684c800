import { Command } from "commander";
import { withHelp, withOutputOptions } from "../common-options.js";
import { ledgerExportCommand } from "./ledger/export.js";
import { ledgerShowCommand } from "./ledger/show.js";
import { ledgerVerifyCommand } from "./ledger/verify.js";

/** `activemixup ledger`: what teachers have answered and what that cost. */
export function ledgerCommand(): Command {
  const group = withHelp(new Command("ledger").description("list, check and export the answers that teachers gave"));
  for (const make of [ledgerShowCommand, ledgerVerifyCommand, ledgerExportCommand]) {
    group.addCommand(withOutputOptions(make()));
  }
  return group;
}
