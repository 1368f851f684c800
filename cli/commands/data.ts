import { Command } from "commander";
import { withHelp, withOutputOptions } from "../common-options.js";
import { dataFetchCommand } from "./data/fetch.js";

/** `activemixup data`: data sets on disk. */
export function dataCommand(signal: AbortSignal): Command {
  const group = withHelp(new Command("data").description("fetch public data sets"));
  return group.addCommand(withOutputOptions(dataFetchCommand(signal)));
}
