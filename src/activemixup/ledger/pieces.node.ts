import type { FileHandle } from "node:fs/promises";
import type { Piece } from "./ledger-scan.js";

const CHUNK = 1 << 20;
/** Longest line that is read, in bytes: no write comes near it, but a file that is no ledger may. */
export const LONGEST_LINE = 1 << 28;
const LINE_BREAK = 0x0a;

/**
 * Calls `take` with each piece of a file. Never more than a chunk and a line is in memory; of a line beyond
 * {@link LONGEST_LINE} only the beginning.
 * @returns the file's length in bytes, as far as it was read
 */
export async function eachPiece(handle: FileHandle, take: (piece: Piece) => void): Promise<number> {
  const chunk = new Uint8Array(CHUNK);
  let carried: Uint8Array[] = [];
  let carriedBytes = 0;
  let begin = 0;
  let position = 0;
  const carry = (bytes: Uint8Array) => {
    if (bytes.length === 0) return;
    if (carriedBytes < LONGEST_LINE) carried.push(bytes.slice());
    carriedBytes += bytes.length;
  };
  for (;;) {
    const { bytesRead } = await handle.read(chunk, 0, CHUNK, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const bytes = chunk.subarray(0, bytesRead);
    let at = 0;
    for (let next = bytes.indexOf(LINE_BREAK); next >= 0; next = bytes.indexOf(LINE_BREAK, at)) {
      const tail = bytes.subarray(at, next);
      if (carriedBytes > 0) carry(tail);
      const line = carriedBytes > 0 ? joined(carried) : tail;
      const length = carriedBytes > 0 ? carriedBytes : tail.length;
      take({ bytes: line, offset: begin, ended: true });
      begin += length + 1;
      at = next + 1;
      carried = [];
      carriedBytes = 0;
    }
    carry(bytes.subarray(at));
  }
  if (carriedBytes > 0) take({ bytes: joined(carried), offset: begin, ended: false });
  return position;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
