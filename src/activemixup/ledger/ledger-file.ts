/**
 * The lines of a ledger's file. The first is the header, every further one is what one write made durable:
 *
 *     activemixup-ledger 1 CHECKSUM {"teacher":"…"}
 *     CHECKSUM NUMBER [{"kind":"ask",…},{"kind":"outcome",…},{"kind":"skip",…}]
 *
 * NUMBER is the line's place in the file, from 2, so that a line that is missing or there twice is found. CHECKSUM is
 * the CRC-32 of what follows it, as 8 hexadecimal digits. Probabilities are base64 of little-endian f32: their exact
 * bits.
 */
import { decodeBase64, encodeBase64 } from "../base64.js";
import { crc32 } from "./crc32.js";
import type { AskEvent, KeptAnswer, LedgerEvent, OutcomeEvent, SkipEvent } from "./store.js";

/** Begins every ledger. */
const MAGIC = "activemixup-ledger";
export const LEDGER_VERSION = 1;
/** `]`, which ends every line of events. */
const BRACKET = 0x5d;

/** What is wrong with a line, in words: `its checksum is …; expected …`. */
export class LineFault {
  constructor(readonly found: string) {}
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The first line, with its line break. */
export function encodeHeader(teacher: string): Uint8Array {
  const text = JSON.stringify({ teacher });
  return encoder.encode(`${MAGIC} ${LEDGER_VERSION} ${checksum(encoder.encode(text))} ${text}\n`);
}

/** A line of events, with its line break. */
export function encodeLine(number: number, events: readonly LedgerEvent[]): Uint8Array {
  const text = `${number} ${JSON.stringify(events.map(eventToJson))}\n`;
  const bytes = encoder.encode(`00000000 ${text}`);
  encoder.encodeInto(checksum(bytes.subarray(9, -1)), bytes);
  return bytes;
}

/**
 * What the first line says, given without its line break. Of another version there is no more to say than its number.
 * `no-ledger` where the file is something else.
 */
export function decodeHeader(
  bytes: Uint8Array,
): { readonly teacher: string } | { readonly version: number } | "no-ledger" | LineFault {
  const space = bytes.indexOf(0x20, MAGIC.length + 1);
  const head = latin(bytes.subarray(0, Math.max(space, 0)));
  const [magic, version = ""] = head.split(" ");
  if (magic !== MAGIC) return "no-ledger";
  if (!/^[1-9]\d{0,8}$/.test(version)) return new LineFault("it has no version; expected a whole number");
  if (Number(version) !== LEDGER_VERSION) return { version: Number(version) };
  const value = decodeChecked(bytes.subarray(space + 1));
  if (value instanceof LineFault) return value;
  const header = parse(value);
  if (!isObject(header) || typeof header.teacher !== "string") {
    return new LineFault("it does not name a teacher; expected its name");
  }
  return { teacher: header.teacher };
}

/** Whether the bytes, in which no line ends, are what is left of a header that was not written whole. */
export function isTornHeader(bytes: Uint8Array): boolean {
  const head = latin(bytes.subarray(0, MAGIC.length + 1));
  return `${MAGIC} `.startsWith(head) || bytes.every((byte) => byte === 0);
}

/** The events of a line, given without its line break, and its number. */
export function decodeLine(
  bytes: Uint8Array,
): { readonly number: number; readonly events: readonly LedgerEvent[] } | LineFault {
  const checked = decodeChecked(bytes);
  if (checked instanceof LineFault) return checked;
  const [, digits, json] = /^([1-9]\d{0,14}) (.*)$/s.exec(checked) ?? [];
  if (digits === undefined) return new LineFault("it has no number; expected its place in the file");
  const list = parse(json);
  if (!Array.isArray(list)) return new LineFault("it holds no list of events in JSON; expected one");
  const events: LedgerEvent[] = [];
  for (const [index, item] of list.entries()) {
    const event = eventFromJson(item);
    if (typeof event === "string") return new LineFault(`its event ${index + 1} ${event}`);
    events.push(event);
  }
  return { number: Number(digits), events };
}

/**
 * Whether bytes that are no line begin with a whole one and go on: its line break is damaged. A write that was cut
 * short leaves no such thing.
 */
export function beginsWithLine(bytes: Uint8Array): boolean {
  const written = Number(`0x${latin(bytes.subarray(0, 8))}`);
  let found = 0;
  for (let at = 9; at < bytes.length - 2; at++) {
    found = crc32(bytes.subarray(at, at + 1), found);
    if (found === written && bytes[at] === BRACKET) return true;
  }
  return false;
}

function checksum(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, "0");
}

/** What follows a checksum and a space. */
function decodeChecked(bytes: Uint8Array): string | LineFault {
  const written = latin(bytes.subarray(0, 9));
  if (!/^[0-9a-f]{8} $/.test(written)) return new LineFault("it has no checksum; expected 8 hexadecimal digits");
  const rest = bytes.subarray(9);
  const right = checksum(rest);
  if (!written.startsWith(right)) {
    return new LineFault(`its checksum is ${written.trim()}; expected ${right}, that of its text`);
  }
  try {
    return decoder.decode(rest);
  } catch {
    return new LineFault("it is not UTF-8");
  }
}

/** Of the first bytes, which are ASCII where nothing is wrong. */
function latin(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 64));
}

/** The value, or `undefined` where the text is not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function eventToJson(event: LedgerEvent): object {
  if (event.kind !== "outcome") return event;
  const { kind, ask, answers, failed, why } = event;
  return { kind, ask, failed, ...(why === undefined ? {} : { why }), answers: answers.map(answerToJson) };
}

function answerToJson({ query, probabilities }: KeptAnswer): [string, string] {
  if (!isIdentity(query)) throw new Error(`the identity of a query is ${JSON.stringify(query)}; expected SHA-256`);
  // Typed arrays are little-endian on every machine with WebGPU.
  const { buffer, byteOffset, byteLength } = probabilities;
  return [query, encodeBase64(new Uint8Array(buffer, byteOffset, byteLength))];
}

/** The event, or what is wrong with it. */
function eventFromJson(item: unknown): LedgerEvent | string {
  if (!isObject(item)) return "is no JSON object";
  if (item.kind === "ask") return askFromJson(item);
  if (item.kind === "outcome") return outcomeFromJson(item);
  if (item.kind === "skip") return skipFromJson(item);
  return "is of an unknown kind; expected ask, outcome or skip";
}

function askFromJson({ ask, run, count }: Record<string, unknown>): AskEvent | string {
  if (!isWhole(ask, 1)) return "has no number of a request";
  if (typeof run !== "string") return "names no run";
  if (!isWhole(count, 0)) return "has no number of images";
  return { kind: "ask", ask, run, count };
}

function skipFromJson({ run, query, why }: Record<string, unknown>): SkipEvent | string {
  if (typeof run !== "string") return "names no run";
  if (typeof query !== "string" || !isIdentity(query)) return "names no query";
  if (typeof why !== "string") return "has no reason";
  return { kind: "skip", run, query, why };
}

function outcomeFromJson({ ask, answers, failed, why }: Record<string, unknown>): OutcomeEvent | string {
  if (!isWhole(ask, 1)) return "has no number of a request";
  if (!isWhole(failed, 0)) return "has no number of failed images";
  if (why !== undefined && typeof why !== "string") return "has a reason that is no text";
  if (!Array.isArray(answers)) return "has no list of answers";
  const kept: KeptAnswer[] = [];
  for (const answer of answers as unknown[]) {
    const [query, text] = Array.isArray(answer) ? (answer as unknown[]) : [];
    const bytes = typeof text === "string" ? decodeBase64(text) : undefined;
    if (typeof query !== "string" || !isIdentity(query) || !bytes || bytes.length % 4 !== 0) {
      return `has an answer ${kept.length + 1} that is not an identity and base64 of f32`;
    }
    kept.push({ query, probabilities: new Float32Array(bytes.buffer) });
  }
  return { kind: "outcome", ask, failed, ...(why === undefined ? {} : { why }), answers: kept };
}

function isWhole(value: unknown, least: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

function isIdentity(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}
