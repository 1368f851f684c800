import { setImmediate } from "node:timers/promises";
import { CommanderError, type Command } from "commander";
import { ActiveMixupError } from "../src/errors.js";
import { asInputError } from "./files.js";
import { createProgram } from "./program.js";
import { paintsOf } from "./terminal.js";

/** Exit codes of the command. */
const OK = 0;
const BUG = 1;
const USER_ERROR = 2;
const INTERRUPTED = 130;

/** Runs the command `activemixup` and returns its exit code, as {@link runProgram} does. */
export async function run(args: readonly string[]): Promise<number> {
  return runProgram(createProgram, args);
}

/** Codes of what is told of a reader, or a terminal, that is gone. */
const GONE = new Set(["EPIPE", "EIO"]);

/** Work goes on where what it prints cannot be written: what is lost on stderr is progress. */
const onOutputError = () => undefined;

/**
 * Runs a command line and returns its exit code: 0, 2 after a mistake of the user (one line on stderr) or where its
 * result cannot be written, 130 after Ctrl-C, 1 after a bug (with its stack). Where the terminal hangs up, it stops as
 * after Ctrl-C, unless progress goes elsewhere than to that, as under `nohup`.
 * @param create makes the command line, which is to stop when the signal is aborted
 */
export async function runProgram(create: (signal: AbortSignal) => Command, args: readonly string[]): Promise<number> {
  const interrupt = new AbortController();
  const onSignal = () => {
    if (interrupt.signal.aborted) process.exit(INTERRUPTED);
    process.stderr.write("\nstopping; what is done is kept (again to stop at once)\n");
    interrupt.abort(new Error("interrupted"));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  const onHangup = () => {
    // A shell and the kernel both tell of it, one after the other: that is no second Ctrl-C.
    if (process.stderr.isTTY && !interrupt.signal.aborted) onSignal();
  };
  process.on("SIGHUP", onHangup);
  for (const output of [process.stdout, process.stderr]) {
    // For good: what was printed last may fail behind the end.
    if (!output.listeners("error").includes(onOutputError)) output.on("error", onOutputError);
  }
  let fault: NodeJS.ErrnoException | undefined;
  const onResultError = (error: NodeJS.ErrnoException) => {
    if (!GONE.has(error.code ?? "")) fault ??= error;
  };
  process.stdout.on("error", onResultError);
  try {
    const code = await parse(create, args, interrupt.signal);
    // A fault of what was printed last is told after this turn of the event loop.
    await setImmediate();
    if (fault === undefined) return code;
    sayError(
      asInputError(fault, "the result on stdout", "written", "see that the disk has room, or send it elsewhere"),
    );
    return code === OK ? USER_ERROR : code;
  } finally {
    process.stdout.off("error", onResultError);
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
    process.off("SIGHUP", onHangup);
  }
}

async function parse(
  create: (signal: AbortSignal) => Command,
  args: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  try {
    await create(signal).parseAsync(args, { from: "user" });
    return signal.aborted ? INTERRUPTED : OK;
  } catch (error) {
    if (signal.aborted && error === signal.reason) return INTERRUPTED;
    if (error instanceof CommanderError) return error.exitCode === 0 ? OK : USER_ERROR;
    if (error instanceof ActiveMixupError && (error.code === "input" || error.code === "device")) {
      sayError(error);
      return USER_ERROR;
    }
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    return BUG;
  }
}

function sayError({ message }: ActiveMixupError): void {
  process.stderr.write(`${paintsOf(process.stderr).red("error:")} ${message}\n`);
}
