/** Defines advance: counter[0] += by, modulo 2^32. */
export function advanceReference(counter: Uint32Array, by: number): void {
  counter[0] += by;
}
