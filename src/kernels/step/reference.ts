/** Defines advance: counter[0] += 1, modulo 2^32. */
export function advanceReference(counter: Uint32Array): void {
  counter[0]++;
}
