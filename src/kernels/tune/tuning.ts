import type { Device, TunedVariants } from "../../tensor/device.js";
import { sha256 } from "./hash.js";
import { winnerOf, type Measured } from "./measured.js";
import { kernelsChecksum } from "./problems.js";

/** Of what the measurements hold: with any other device, driver, implementation or kernels they are worth nothing. */
export interface TuningKey {
  readonly adapter: string;
  readonly vendor: string;
  readonly driver: string;
  /** Dawn or the browser, with its version. */
  readonly implementation: string;
  /** Dawn's toggles, by which its profiles differ. */
  readonly toggles: readonly string[];
  /** A checksum of the kernels that tuning chooses from, as they run on the device. */
  readonly kernels: string;
}

/** All that was measured for one key. */
export interface Tuning {
  readonly key: TuningKey;
  readonly problems: readonly Measured[];
}

/** Number of the file's format. */
const FORMAT = 1;

/** What measurements on the device are filed under. */
export async function tuningKey(device: Device): Promise<TuningKey> {
  const { adapter, vendor, driver, implementation, toggles } = device.info;
  return { adapter, vendor, driver, implementation, toggles, kernels: await kernelsChecksum(device) };
}

/** A short name for a key, the same on every machine: for a file. */
export async function tuningName(key: TuningKey): Promise<string> {
  return (await sha256(canonical(key))).slice(0, 16);
}

/** The variants to run, by the problems' keys: only those that are not the rule's. */
export function variantsOf({ problems }: Tuning): TunedVariants {
  const winners = problems.map((measured) => [measured, winnerOf(measured)] as const);
  return Object.fromEntries(
    winners.filter(([{ byRule }, winner]) => winner !== byRule).map(([{ key }, winner]) => [key, winner]),
  );
}

/** The tuning with a measurement more, in place of an older one of the same problem. */
export function withMeasured({ key, problems }: Tuning, measured: Measured): Tuning {
  return { key, problems: [...problems.filter((other) => other.key !== measured.key), measured] };
}

/** The tuning as the text of a JSON file, one problem a line. */
export function encodeTuning({ key, problems }: Tuning): string {
  const lines = problems.map((measured) => `\n    ${JSON.stringify(measured)}`);
  return `{\n  "format": ${FORMAT},\n  "key": ${JSON.stringify(key)},\n  "problems": [${lines.join(",")}\n  ]\n}\n`;
}

/** What {@link encodeTuning} wrote for `key`; `undefined` where the text is anything else. */
export function decodeTuning(text: string, key: TuningKey): Tuning | undefined {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(file) || file.format !== FORMAT || !isRecord(file.key) || !Array.isArray(file.problems))
    return undefined;
  if (canonical(file.key) !== canonical(key)) return undefined;
  const { problems } = file;
  return problems.every(isMeasured) ? { key, problems } : undefined;
}

/** The same text for the same members, in whatever order they stand. */
function canonical(key: object): string {
  return JSON.stringify(Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isMeasured(value: unknown): value is Measured {
  if (!isRecord(value)) return false;
  const { key, byRule, date, timings } = value;
  const isText = [key, byRule, date].every((text) => typeof text === "string");
  return (
    isText && !Number.isNaN(Date.parse(date as string)) && isRecord(timings) && Object.values(timings).every(isTiming)
  );
}

function isTiming(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { milliseconds, failure } = value;
  if (failure !== undefined) return typeof failure === "string" && milliseconds === undefined;
  const isTime = (time: unknown) => typeof time === "number" && Number.isFinite(time) && time > 0;
  return Array.isArray(milliseconds) && milliseconds.length > 0 && milliseconds.every(isTime);
}
