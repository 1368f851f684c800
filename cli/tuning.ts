import { tuningKey, variantsOf, millisecondsOf, winnerOf, type Measured } from "../src/kernels/index.js";
import { readTuning } from "../src/kernels/tune/store.node.js";
import type { Device, DeviceInfo, TunedVariants } from "../src/tensor/index.js";
import type { Progress } from "./progress.js";
import { formatTable } from "./table.js";
import { tableLayout } from "./terminal.js";

/** The variants that `tune` found on the device; a file that cannot be used is as good as none, and a warning. */
export async function tunedVariants(device: Device, progress: Progress): Promise<TunedVariants> {
  if (device.info.kind === "cpu") return {};
  const { tuning, damage } = await readTuning(await tuningKey(device));
  if (damage) progress.say(`warning: ${damage}; the kernels run as if not tuned: \`activemixup tune\` measures anew`);
  return tuning ? variantsOf(tuning) : {};
}

/** What a run says of its device: with other tuned variants, sums in f32 come in another order. */
export interface DeviceRecord extends DeviceInfo {
  /** The variants in force that are not those of the rule, by their problems; absent where there are none. */
  readonly tuned?: TunedVariants;
}

/** What a run says of its device, as it is now. */
export function deviceRecord({ info, capabilities: { tuned } }: Device): DeviceRecord {
  return Object.keys(tuned).length > 0 ? { ...info, tuned } : info;
}

/** A table of what was measured, and below it, line by line, which candidates are out and why. */
export function describeMeasured(problems: readonly Measured[]): string {
  const rows = problems.map((measured) => {
    const { key, byRule } = measured;
    const winner = winnerOf(measured);
    const [before, after] = [byRule, winner].map((variant) => millisecondsOf(measured, variant));
    const ratio = before === undefined || after === undefined ? "–" : `${(before / after).toFixed(2)}×`;
    return [key, byRule, formatMilliseconds(before), winner, formatMilliseconds(after), ratio];
  });
  const failures = problems.flatMap(({ key, timings }) =>
    Object.entries(timings).flatMap(([variant, timing]) =>
      "failure" in timing ? [`out: ${key}, ${variant}: ${timing.failure}`] : [],
    ),
  );
  return [formatTable([["problem", "by rule", "ms", "runs", "ms", "ratio"], ...rows], tableLayout()), ...failures].join(
    "\n",
  );
}

function formatMilliseconds(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return "failed";
  return milliseconds >= 100 ? milliseconds.toFixed(0) : milliseconds.toPrecision(3);
}

/** How much there is, in words: `38 problems measured, 9 to run another variant than the rule's`. */
export function summariseMeasured(problems: readonly Measured[]): string {
  const changed = problems.filter((measured) => winnerOf(measured) !== measured.byRule).length;
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return `${count} measured, ${changed === 0 ? "none" : changed} to run another variant than the rule's`;
}
