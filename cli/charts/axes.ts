import type { ChartPoint } from "./line-chart.js";

/** Where the largest place is so many times the smallest, the axis is logarithmic. */
const LOGARITHMIC = 8;
/** Left free beside the first round and the last, in rounds: a round's points stand a little to either side of it. */
const ASIDE = 0.25;

/** What the chart's library is told of an axis. */
interface Axis {
  readonly type: "linear" | "log";
  readonly domain?: [number, number];
  readonly ticks: number[];
}

/**
 * A horizontal axis of whole numbers: logarithmic where they are far apart.
 * @param places at least one; from 1 up, unless they are rounds
 * @param most ticks: no more have room
 * @param rounds whether the places count rounds, and may stand beside them
 */
export function wholeAxis(places: readonly number[], most: number, rounds = false): Axis {
  const [low, high] = [Math.min(...places), Math.max(...places)];
  if (rounds) {
    const [first, last] = [Math.round(low), Math.round(high)];
    return { type: "linear", domain: [first - ASIDE, last + ASIDE], ticks: evenTicks(first, last, most) };
  }
  if (high > LOGARITHMIC * low) return { type: "log", ticks: logarithmicTicks(low, high, most) };
  return { type: "linear", ticks: evenTicks(low, high, most) };
}

/** Whole numbers at even distances of 1, 2 or 5 times a power of ten. */
function evenTicks(low: number, high: number, most: number): number[] {
  for (let power = 1; ; power *= 10) {
    for (const step of [power, 2 * power, 5 * power]) {
      const [first, last] = [Math.ceil(low / step), Math.floor(high / step)];
      if (last - first < most) return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
    }
  }
}

/** As many to each power of ten as there is room for, of which none stands close to the next. */
function logarithmicTicks(low: number, high: number, most: number): number[] {
  const powers = Array.from({ length: Math.ceil(Math.log10(high)) + 1 }, (_, power) => 10 ** power);
  const ticks = [[1, 2, 5], [1, 3], [1]].map((heads) =>
    powers.flatMap((power) => heads.map((head) => head * power)).filter((tick) => tick >= low && tick <= high),
  );
  return ticks.find(({ length }) => length <= most) ?? ticks[2];
}

/** A vertical axis: one tick, in few digits, where all its values are the same. */
export function valueAxis(points: readonly ChartPoint[], ticks: number) {
  const values = new Set(points.flatMap(({ y, low = y, high = y }) => [low, y, high]));
  if (values.size > 1) return { ticks };
  return { ticks: [...values], tickFormat: (value: number) => String(Number(value.toPrecision(4))) };
}
