import { spawn, type ChildProcess, type ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { FrameError, FrameReader, type Frame } from "./frames.js";
import { Lines } from "./lines.js";

/** Lines of stderr that stand in errors. */
const LINES = 5;

/** Milliseconds that a process whose stdout has ended has to exit, and its streams to end after it has. */
const LINGER = 1000;

/**
 * Kills the group `$1` when stdin ends, that is when this program does, however it does: so that no teacher outlives a
 * run that was killed.
 */
const WATCH = `read -r _; kill -s KILL -- "-$1"`;

/**
 * A command that runs in a group of processes of its own, so that all of it can be killed, and that Ctrl-C in the
 * terminal leaves it to us to let it finish its request.
 */
export class Child {
  /** Resolves when the process and its group are gone, to what became of it: `exited with code 1 (…stderr…)`. */
  readonly ended: Promise<string>;
  private readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  private readonly watch: ChildProcess | undefined;
  private readonly reader = new FrameReader();
  private readonly waiting: Frame[] = [];
  private readonly stderr: Lines;
  private taker: { resolve: (frame: Frame) => void; reject: (error: Error) => void } | undefined;
  /** Why it was given up before it ended by itself. */
  private why: string | undefined;
  private end: string | undefined;

  /**
   * @param command a line for the shell
   * @param log hears of each line of stderr
   */
  constructor(command: string, log?: (line: string) => void) {
    this.stderr = new Lines(LINES, log);
    this.process = spawn("/bin/sh", ["-c", command], { detached: true, stdio: ["pipe", "pipe", "pipe"] });
    const { pid, stdin, stdout, stderr } = this.process;
    let unwatched: Promise<unknown> = Promise.resolve();
    if (pid !== undefined) {
      this.watch = spawn("/bin/sh", ["-c", WATCH, "sh", String(pid)], {
        detached: true,
        stdio: ["pipe", "ignore", "ignore"],
      });
      unwatched = new Promise((resolve) => {
        this.watch!.on("exit", resolve);
        // Without its guard the command still works.
        this.watch!.on("error", resolve);
      });
    }
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr.push(text);
    });
    stdout.on("data", (bytes: Buffer) => {
      this.receive(bytes);
    });
    // A process that reads no more is about to end, or will be given up for what it does next.
    stdin.on("error", () => undefined);
    const ended = new Promise<string>((resolve) => {
      this.process.on("error", (error) => {
        resolve(this.finish(`could not be started: ${error.message}`));
      });
      stdout.on("end", () => {
        const timer = setTimeout(() => {
          this.giveUp("closed its stdout");
        }, LINGER);
        this.process.once("exit", () => {
          clearTimeout(timer);
        });
      });
      this.process.on("exit", () => {
        // What the command left running in the background would hold its streams open, and a GPU perhaps.
        this.kill();
        const timer = setTimeout(() => {
          stdout.destroy();
          stderr.destroy();
        }, LINGER);
        this.process.once("close", () => {
          clearTimeout(timer);
        });
      });
      this.process.on("close", (code, signal) => {
        resolve(this.finish(signal ? `was ended by ${signal}` : `exited with code ${code}`));
      });
    });
    this.ended = Promise.all([ended, unwatched]).then(([how]) => how);
  }

  /** Whether it has ended, or was given up. */
  get gone(): boolean {
    return this.end !== undefined || this.why !== undefined;
  }

  /**
   * @param limit longest body that the answer may have
   * @throws FrameError where a frame has come before it was asked for
   */
  send(bytes: Uint8Array, limit: number): void {
    if (this.waiting.length > 0) throw new FrameError("a frame that nobody asked for");
    this.reader.limit = limit;
    this.process.stdin.write(bytes);
  }

  /**
   * The next frame.
   * @throws Error with what became of the process, where there is none
   */
  frame(): Promise<Frame> {
    const frame = this.waiting.shift();
    if (frame) return Promise.resolve(frame);
    if (this.end !== undefined) return Promise.reject(new Error(this.end));
    return new Promise((resolve, reject) => {
      this.taker = { resolve, reject };
    });
  }

  /** Kills the group. The reason stands in the errors in place of how the process ended. */
  giveUp(why = "was ended"): void {
    if (this.end === undefined) this.why ??= why;
    this.kill();
  }

  /** Gives it up for what it wrote. */
  breach(message: string): void {
    this.giveUp(`broke the protocol: ${message}`);
  }

  /** Lets it end by itself, as its stdin has ended; kills it after so many milliseconds. */
  async close(grace: number): Promise<void> {
    this.process.stdin.end();
    const timer = setTimeout(() => {
      this.giveUp();
    }, grace);
    await this.ended;
    clearTimeout(timer);
  }

  private receive(bytes: Uint8Array): void {
    if (this.why !== undefined) return;
    try {
      for (const frame of this.reader.push(bytes)) {
        if (this.taker) this.taker.resolve(frame);
        else this.waiting.push(frame);
        this.taker = undefined;
      }
      if (this.waiting.length > 1) throw new FrameError("frames that nobody asked for");
    } catch (error) {
      this.breach((error as Error).message);
    }
  }

  private finish(how: string): string {
    if (this.end !== undefined) return this.end;
    this.stderr.end();
    const partial = this.reader.partial ? " in the middle of a frame" : "";
    // Python marks places in the line above by lines of ^ and ~.
    const lines = this.stderr.last.filter((line) => !/^[\s^~]*$/.test(line)).map((line) => line.trim());
    const said = lines.length > 0 ? `; the end of its stderr: ${lines.join(" | ")}` : "";
    this.end = (this.why ?? how + partial) + said;
    this.taker?.reject(new Error(this.end));
    this.taker = undefined;
    this.watch?.kill("SIGKILL");
    return this.end;
  }

  private kill(): void {
    const { pid } = this.process;
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // The group is gone already.
    }
  }
}
