import { Argument, Command, Option } from "commander";
import { readLedger, type LedgerContents, type RunAccount } from "../../../src/activemixup/ledger/read-ledger.node.js";
import type { OutputOptions } from "../../common-options.js";
import { findLedgers } from "../../ledger-path.js";
import { whole } from "../../parse.js";
import { formatTable, printable, size } from "../../table.js";
import { tableLayout } from "../../terminal.js";
import { version } from "../../version.js";

interface ShowOptions extends OutputOptions {
  readonly answers?: boolean;
  readonly top: number;
}

/** What a ledger of a run may be given as. */
export function pathArgument(): Argument {
  return new Argument("<path>", "the folder of a run, a folder of ledgers, or one ledger");
}

/** `activemixup ledger show`: teachers, their answers, and what runs asked. */
export function ledgerShowCommand(): Command {
  return new Command("show")
    .description("show whose answers a ledger holds, and what each run asked")
    .addArgument(pathArgument())
    .option("--answers", "list the answers too: the query's identity and the likeliest classes")
    .addOption(
      new Option("--top <count>", "likeliest classes in that list")
        .argParser(whole(1))
        .default(3)
        .implies({ answers: true }),
    )
    .action(async (path: string, { answers, top, json }: ShowOptions) => {
      const files = await findLedgers(path);
      const ledgers: ShownLedger[] = [];
      for (const file of files) ledgers.push(shown(file, await readLedger(file), answers ? top : 0));
      process.stdout.write(json ? `${JSON.stringify({ version, ledgers })}\n` : describe(ledgers));
    });
}

interface ShownLedger {
  readonly file: string;
  readonly teacher: string | undefined;
  readonly classes: number | undefined;
  readonly answers: number;
  /** Size of the file, but for a last line that is not whole. */
  readonly bytes: number;
  readonly torn: number;
  readonly runs: readonly RunAccount[];
  readonly list?: readonly ShownAnswer[];
}

interface ShownAnswer {
  readonly query: string;
  /** Likeliest first. */
  readonly top: readonly { readonly class: number; readonly probability: number }[];
}

/** @param top likeliest classes of each answer; none are listed where it is 0 */
function shown(file: string, contents: LedgerContents, top: number): ShownLedger {
  const { teacher, classes, answers, bytes, torn, runs } = contents;
  const list = Array.from(answers, ([query, probabilities]) => ({ query, top: likeliest(probabilities, top) }));
  return { file, teacher, classes, answers: answers.size, bytes, torn, runs, ...(top > 0 ? { list } : {}) };
}

function likeliest(probabilities: Float32Array, count: number): ShownAnswer["top"] {
  return Array.from(probabilities, (probability, label) => ({ class: label, probability }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, count);
}

function describe(ledgers: readonly ShownLedger[]): string {
  const name = ({ teacher }: ShownLedger) => (teacher === undefined ? "–" : printable(teacher));
  const rows = ledgers.map((ledger) => [
    name(ledger),
    `${ledger.classes ?? "–"}`,
    `${ledger.answers}`,
    size(ledger.bytes + ledger.torn),
  ]);
  const parts = [formatTable([["teacher", "classes", "answers", "size"], ...rows], tableLayout())];
  for (const ledger of ledgers) {
    const of = ledgers.length > 1 ? ` of ${name(ledger)}` : "";
    const runs = ledger.runs.map(({ run, asked, answered, failed, lost }) => [
      printable(run),
      ...[asked, answered, failed, lost].map(String),
    ]);
    if (runs.length > 0)
      parts.push(formatTable([[`run${of}`, "asked", "answered", "failed", "lost"], ...runs], tableLayout()));
    if (ledger.list && ledger.list.length > 0) parts.push(describeAnswers(ledger.list, of));
  }
  if (ledgers.some(({ runs }) => runs.some(({ lost }) => lost > 0))) {
    parts.push("lost: asked about, and nothing is known of the outcome; of a run that still goes on, it is under way");
  }
  return `${parts.join("\n\n")}\n`;
}

function describeAnswers(list: readonly ShownAnswer[], of: string): string {
  const lines = list.map(({ query, top }) => {
    const classes = top.map(({ class: label, probability }) => `${label}: ${probability.toFixed(4)}`);
    return `${query}  ${classes.join("  ")}`;
  });
  return [`answers${of}`, ...lines].join("\n");
}
