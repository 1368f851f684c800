import { CommanderError } from "commander";
import { ActiveMixupError } from "../src/errors.js";
import { createProgram } from "./program.js";

/** Exit codes of the command. */
const OK = 0;
const BUG = 1;
const USER_ERROR = 2;
const INTERRUPTED = 130;

/**
 * Runs the command and returns its exit code: 0, 2 after a mistake of the user (one line on stderr), 130 after Ctrl-C,
 * 1 after a bug (with its stack).
 */
export async function run(args: readonly string[]): Promise<number> {
  const interrupt = new AbortController();
  const onSignal = () => {
    if (interrupt.signal.aborted) process.exit(INTERRUPTED);
    process.stderr.write("\nstopping; what is done is kept (again to stop at once)\n");
    interrupt.abort(new Error("interrupted"));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  try {
    await createProgram(interrupt.signal).parseAsync(args, { from: "user" });
    return interrupt.signal.aborted ? INTERRUPTED : OK;
  } catch (error) {
    if (interrupt.signal.aborted && error === interrupt.signal.reason) return INTERRUPTED;
    if (error instanceof CommanderError) return error.exitCode === 0 ? OK : USER_ERROR;
    if (error instanceof ActiveMixupError && (error.code === "input" || error.code === "device")) {
      process.stderr.write(`error: ${error.message}\n`);
      return USER_ERROR;
    }
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    return BUG;
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}
