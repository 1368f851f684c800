import { Command } from "commander";
import { readLedger, type LedgerContents } from "../../../src/activemixup/ledger/read-ledger.node.js";
import { InputError } from "../../../src/errors.js";
import { encodeSafetensors } from "../../../src/nn/index.js";
import type { OutputOptions } from "../../common-options.js";
import { checkWritable, writeWhole } from "../../files.js";
import { findLedgers } from "../../ledger-path.js";
import { printable } from "../../table.js";
import { version } from "../../version.js";
import { pathArgument } from "./show.js";

interface ExportOptions extends OutputOptions {
  readonly out: string;
  readonly teacher?: string;
}

/** Bytes of a query's identity. */
const IDENTITY = 32;

/** What the answers of one teacher are written as. */
interface Answers {
  readonly teacher: string;
  readonly classes: number;
  readonly answers: ReadonlyMap<string, Float32Array>;
}

const formats: Readonly<Record<string, (answers: Answers) => Uint8Array | Iterable<string>>> = {
  ".safetensors": asSafetensors,
  ".jsonl": asJsonLines,
};

/** `activemixup ledger export`: a teacher's answers as tensors or JSON. */
export function ledgerExportCommand(): Command {
  return new Command("export")
    .description("write a teacher's answers to a file: .safetensors, or .jsonl with one JSON object a line")
    .addArgument(pathArgument())
    .requiredOption("--out <file>", "the file, whose ending says in which format")
    .option("--teacher <name>", "the teacher, where there are several")
    .action(async (path: string, { out, teacher, json }: ExportOptions) => {
      const format = Object.entries(formats).find(([ending]) => out.endsWith(ending))?.[1];
      if (!format) {
        throw new InputError(`--out ${out} ends in none of ${Object.keys(formats).join(", ")}; end it in one of them`);
      }
      const found = await pick(path, await findLedgers(path), teacher);
      const { teacher: name, classes, answers } = found;
      if (name === undefined || classes === undefined || answers.size === 0) {
        throw new InputError(`${found.file} holds no answers yet; export it once a run has asked`);
      }
      await checkWritable("--out", out);
      await writeWhole(out, format({ teacher: name, classes, answers }));
      const result = { version, out, teacher: name, classes, answers: answers.size };
      process.stdout.write(
        json ? `${JSON.stringify(result)}\n` : `${out}: ${answers.size} answers of ${printable(name)}\n`,
      );
    });
}

/** The ledger of the teacher of that name, or the only one. */
async function pick(
  path: string,
  files: readonly string[],
  teacher: string | undefined,
): Promise<LedgerContents & { readonly file: string }> {
  const names: string[] = [];
  for (const file of files) {
    const contents = { ...(await readLedger(file)), file };
    if (teacher === undefined ? files.length === 1 : contents.teacher === teacher) return contents;
    if (contents.teacher !== undefined) names.push(JSON.stringify(contents.teacher));
  }
  throw new InputError(
    teacher === undefined
      ? `${path} holds answers of ${names.join(" and ")}; say whose by --teacher`
      : `--teacher ${teacher} has no answers in ${path}; expected ${names.join(" or ")}`,
  );
}

/**
 * `queries`: the identities, u8 [answers, 32]. `probabilities`: f32 [answers, classes]. The teacher's name is in the
 * metadata.
 */
function asSafetensors({ teacher, classes, answers }: Answers): Uint8Array {
  const queries = new Uint8Array(answers.size * IDENTITY);
  const probabilities = new Float32Array(answers.size * classes);
  let row = 0;
  for (const [query, answer] of answers) {
    for (let at = 0; at < IDENTITY; at++) queries[row * IDENTITY + at] = parseInt(query.slice(2 * at, 2 * at + 2), 16);
    probabilities.set(answer, row * classes);
    row++;
  }
  return encodeSafetensors(
    new Map([
      ["probabilities", { shape: [answers.size, classes], data: probabilities }],
      ["queries", { shape: [answers.size, IDENTITY], data: queries }],
    ]),
    { teacher },
  );
}

/** One object a line: `query`, `probabilities`, and `top`, the likeliest class. */
function* asJsonLines({ answers }: Answers): Iterable<string> {
  for (const [query, answer] of answers) {
    const probabilities = Array.from(answer);
    yield `${JSON.stringify({ query, probabilities, top: probabilities.indexOf(Math.max(...answer)) })}\n`;
  }
}
