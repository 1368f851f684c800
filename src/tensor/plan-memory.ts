/** When a block of intermediate memory is in use: from its first to its last launch, both included. */
export interface Lifetime {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
  /** Indices of blocks that may not lie in the same storage, wherever in it: a launch reads one and writes the other. */
  readonly apart?: ReadonlySet<number>;
}

/** Where a block lies. */
export interface Place {
  /** Index of the storage. */
  readonly storage: number;
  /** Bytes from the start of the storage. */
  readonly offset: number;
}

/** Where blocks lie, as {@link planMemory} has it. */
export interface MemoryPlan {
  /** Bytes of each storage to allocate. */
  readonly storages: readonly number[];
  /** For each lifetime, in the order given, where it lies. */
  readonly places: readonly Place[];
}

/**
 * Lets blocks whose lifetimes do not meet share memory. Greedy, the largest first: each block takes the first place,
 * at a multiple of `alignment`, that is free for as long as it lives, else a storage of its own, so that small blocks
 * lie side by side where a large one lies at another time (Pisarchyk and Lee, 2020, "greedy by size").
 *
 * There are several storages instead of one arena because WebGPU refuses a buffer that one launch both reads and writes,
 * even at different places.
 */
export function planMemory(lifetimes: readonly Lifetime[], alignment = 1): MemoryPlan {
  const storages: { bytes: number; blocks: number[] }[] = [];
  const places: Place[] = new Array<Place>(lifetimes.length);
  const order = lifetimes
    .map((_, index) => index)
    .sort((a, b) => lifetimes[b].bytes - lifetimes[a].bytes || lifetimes[a].first - lifetimes[b].first || a - b);
  for (const index of order) {
    const place = findPlace(index) ?? {
      storage: storages.push({ bytes: lifetimes[index].bytes, blocks: [] }) - 1,
      offset: 0,
    };
    storages[place.storage].blocks.push(index);
    places[index] = place;
  }
  return { storages: storages.map(({ bytes }) => bytes), places };

  function findPlace(index: number): Place | undefined {
    const { bytes, first, last, apart } = lifetimes[index];
    for (const [storage, { bytes: size, blocks }] of storages.entries()) {
      if (blocks.some((other) => apart?.has(other) || lifetimes[other].apart?.has(index))) continue;
      const taken = blocks
        .filter((other) => lifetimes[other].first <= last && lifetimes[other].last >= first)
        .sort((a, b) => places[a].offset - places[b].offset);
      let offset = 0;
      for (const other of taken) {
        if (offset + bytes <= places[other].offset) break;
        offset = Math.max(offset, alignUp(places[other].offset + lifetimes[other].bytes, alignment));
      }
      if (offset + bytes <= size) return { storage, offset };
    }
    return undefined;
  }
}

/** The most bytes in use at one launch: no plan takes less. */
export function mostAlive(lifetimes: readonly Lifetime[]): number {
  const changes = lifetimes.flatMap(({ bytes, first, last }) => [
    { at: first, bytes },
    { at: last + 1, bytes: -bytes },
  ]);
  changes.sort((a, b) => a.at - b.at || a.bytes - b.bytes);
  let alive = 0;
  let most = 0;
  for (const { bytes } of changes) {
    alive += bytes;
    most = Math.max(most, alive);
  }
  return most;
}

function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}
