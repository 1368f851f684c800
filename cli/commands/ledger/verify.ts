import { Command } from "commander";
import { verifyLedger } from "../../../src/activemixup/ledger/read-ledger.node.js";
import { repairLedger } from "../../../src/activemixup/ledger/repair-ledger.node.js";
import { InputError } from "../../../src/errors.js";
import type { OutputOptions } from "../../common-options.js";
import { findLedgers } from "../../ledger-path.js";
import { version } from "../../version.js";
import { pathArgument } from "./show.js";

interface VerifyOptions extends OutputOptions {
  readonly repair?: boolean;
  readonly teacher?: string;
}

/** `activemixup ledger verify`: whether each line is as it was written. */
export function ledgerVerifyCommand(): Command {
  return new Command("verify")
    .description("check every line of a ledger; exits with 2 where one is damaged, and names it")
    .addArgument(pathArgument())
    .option("--repair", "set a damaged ledger aside under another name, and write its sound lines anew")
    .option("--teacher <name>", "the teacher's name, to repair a ledger whose first line is damaged")
    .action(async (path: string, options: VerifyOptions) => {
      const files = await findLedgers(path);
      const ledgers: VerifiedLedger[] = [];
      for (const file of files) ledgers.push(await verify(file, options));
      process.stdout.write(
        options.json ? `${JSON.stringify({ version, ledgers })}\n` : `${ledgers.flatMap(describe).join("\n")}\n`,
      );
      const damaged = ledgers.filter(({ damage, aside }) => damage.length > 0 && aside === undefined);
      if (damaged.length > 0) {
        throw new InputError(
          `${damaged.map(({ file }) => file).join(" and ")}: damaged; put a sound copy in its place, or keep the sound ` +
            `lines with \`activemixup ledger verify ${path} --repair\``,
        );
      }
    });
}

interface VerifiedLedger {
  readonly file: string;
  /** Sound lines, the header included. */
  readonly lines: number;
  readonly requests: number;
  readonly answers: number;
  /** Images asked about without an outcome. */
  readonly lost: number;
  /** Bytes of a last line that is not whole. */
  readonly torn: number;
  /** Before a repair. */
  readonly damage: readonly { readonly line: number; readonly offset: number; readonly found: string }[];
  /** Where a repair put the damaged file. */
  readonly aside?: string;
}

async function verify(file: string, { repair, teacher }: VerifyOptions): Promise<VerifiedLedger> {
  const before = await verifyLedger(file);
  const done = repair && before.damage.length > 0 ? await repairLedger(file, teacher) : undefined;
  const { lines, answers, runs, torn, damage } = done ? await verifyLedger(file) : before;
  const sum = (of: "requests" | "lost") => runs.reduce((total, run) => total + run[of], 0);
  const counts = { file, lines, requests: sum("requests"), answers: answers.size, lost: sum("lost"), torn };
  return done ? { ...counts, damage: done.damage, aside: done.aside } : { ...counts, damage };
}

function describe({ file, lines, requests, answers, lost, torn, damage, aside }: VerifiedLedger): string[] {
  const places = damage.map(({ line, offset, found }) => `${file}: line ${line} (from byte ${offset}): ${found}`);
  if (damage.length > 0 && aside === undefined) return places;
  const counts = `${lines} lines, ${requests} requests, ${answers} answers, ${lost} images without an outcome`;
  const tail = torn > 0 ? `; ${torn} bytes of a last line that is not whole, which the next run cuts off` : "";
  if (aside === undefined) return [`${file}: sound: ${counts}${tail}`];
  return [...places, `${file}: repaired: ${counts}; the damaged file is ${aside}`];
}
