/** When a block of intermediate memory is in use: from its first to its last launch, both included. */
export interface Lifetime {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export interface MemoryPlan {
  /** Bytes of each storage to allocate. */
  readonly storages: readonly number[];
  /** For each lifetime, in the order given, the storage that it uses. */
  readonly assignment: readonly number[];
}

/**
 * Lets blocks whose lifetimes do not meet share storage. A block never shares with one that the same launch uses, so
 * no kernel reads what it writes. Greedy: in order of first use, each block takes the free storage that fits best, or
 * enlarges the largest free one.
 */
export function planMemory(lifetimes: readonly Lifetime[]): MemoryPlan {
  const storages: { bytes: number; freeAfter: number }[] = [];
  const assignment: number[] = new Array<number>(lifetimes.length);
  const order = lifetimes.map((_, index) => index).sort((a, b) => lifetimes[a].first - lifetimes[b].first || a - b);
  for (const index of order) {
    const { bytes, first, last } = lifetimes[index];
    let best = -1;
    for (const [candidate, storage] of storages.entries()) {
      if (storage.freeAfter >= first) continue;
      if (best < 0 || isBetterFit(storage.bytes, storages[best].bytes, bytes)) best = candidate;
    }
    if (best < 0) best = storages.push({ bytes: 0, freeAfter: -1 }) - 1;
    storages[best].bytes = Math.max(storages[best].bytes, bytes);
    storages[best].freeAfter = last;
    assignment[index] = best;
  }
  return { storages: storages.map((storage) => storage.bytes), assignment };
}

function isBetterFit(candidate: number, current: number, needed: number): boolean {
  if (candidate >= needed) return current < needed || candidate < current;
  return current < needed && candidate > current;
}
