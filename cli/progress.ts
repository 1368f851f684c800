import { LINE, paintsOf, type Paint, type Paints } from "./terminal.js";

/** Progress on stderr: a bar on a terminal, plain lines elsewhere, nothing where quiet. */
export interface Progress {
  /** `done` of `total` units of the piece of work called `label`. */
  update(label: string, done: number, total: number, unit: string): void;
  /** A line of its own. */
  say(line: string): void;
  /** Ends the line of the bar, if there is one. */
  end(): void;
}

const BAR_WIDTH = 20;
const BAR_MILLISECONDS = 100;
const LINE_MILLISECONDS = 10_000;

/** Progress on a stream: see {@link createProgress}. */
export class StreamProgress implements Progress {
  private label = "";
  private started = 0;
  /** What was done when the clock started: known already, or done before anything was told. */
  private before = 0;
  private shown = 0;
  private drawn = false;
  private readonly paints: Paints;

  constructor(private readonly stream: NodeJS.WriteStream) {
    this.paints = paintsOf(stream);
  }

  update(label: string, done: number, total: number, unit: string): void {
    const now = performance.now();
    if (label !== this.label) {
      this.end();
      this.label = label;
      this.started = now;
      this.before = done;
      this.shown = this.stream.isTTY ? 0 : now;
    }
    const finished = done >= total;
    if (!finished && now - this.shown < (this.stream.isTTY ? BAR_MILLISECONDS : LINE_MILLISECONDS)) return;
    this.shown = now;
    const speed = formatSpeed(done - this.before, total - done, unit, (now - this.started) / 1000);
    if (this.stream.isTTY) {
      const columns = (this.stream.columns || LINE) - 1;
      this.stream.write(`\r\x1b[K${formatProgress(label, done, total, unit, speed, columns, this.paints.cyan)}`);
      this.drawn = true;
      if (finished) this.end();
    } else {
      this.stream.write(`${formatProgress(label, done, total, unit, speed)}\n`);
    }
    if (finished) this.label = "";
  }

  say(line: string): void {
    this.breakLine();
    this.stream.write(`${line.replace(/^warning:/, this.paints.yellow)}\n`);
  }

  end(): void {
    this.breakLine();
    this.label = "";
  }

  /** The work goes on: its time counts from where it began. */
  private breakLine(): void {
    if (this.drawn) this.stream.write("\n");
    this.drawn = false;
  }
}

/**
 * `round 1 train [#####     ] 50% 512/1024 steps, 31.2 steps/s, 0:16 left`
 * @param speed what {@link formatSpeed} says
 * @param columns most characters: the bar becomes shorter, since the numbers at the end say more than it
 */
export function formatProgress(
  label: string,
  done: number,
  total: number,
  unit: string,
  speed: string,
  columns = Infinity,
  paint: Paint = (text) => text,
): string {
  const share = total > 0 ? done / total : 1;
  const numbers = `${Math.floor(100 * share)}% ${done}/${total} ${unit}${speed}`;
  // Around the bar stand two brackets and two spaces.
  const width = Math.min(BAR_WIDTH, columns - label.length - numbers.length - 4);
  if (width < 1) return `${label} ${numbers}`.slice(0, columns);
  const filled = Math.floor(share * width);
  return `${label} [${paint("#".repeat(filled))}${" ".repeat(width - filled)}] ${numbers}`;
}

/**
 * `, 31.2 steps/s, 0:16 left`, or what it took where nothing is left; nothing where no work was measured.
 * @param done in so many seconds
 */
export function formatSpeed(done: number, left: number, unit: string, seconds: number): string {
  // Work that was done at its first report took no time that could be measured.
  if (done <= 0 || seconds < 0.01) return "";
  const rate = done / seconds;
  const ending = left > 0 ? `${formatSeconds(left / rate)} left` : `took ${formatSeconds(seconds)}`;
  return `, ${formatRate(rate)} ${unit}/s, ${ending}`;
}

function formatRate(rate: number): string {
  return rate >= 100 ? rate.toFixed(0) : rate.toPrecision(3);
}

/** Minutes and seconds, `1:05`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Minutes and seconds where it took a minute, else seconds: `1:05`, `3.2 s`. */
export function formatTime(seconds: number): string {
  return seconds < 59.95 ? `${seconds.toFixed(1)} s` : formatSeconds(seconds);
}

/** Progress on stderr, or none where `quiet`. */
export function createProgress(quiet = false): Progress {
  if (!quiet) return new StreamProgress(process.stderr);
  const nothing = () => undefined;
  return { update: nothing, say: nothing, end: nothing };
}
