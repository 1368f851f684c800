import fc from "fast-check";
import { expect, it } from "vitest";
import { mostAlive, planMemory, type Lifetime } from "../../src/tensor/index.js";

const lifetimes: fc.Arbitrary<Lifetime[]> = fc.array(
  fc
    .record({
      bytes: fc.integer({ min: 1, max: 64 }),
      first: fc.nat(30),
      length: fc.nat(12),
      apart: fc.uniqueArray(fc.nat(39), { maxLength: 3 }),
    })
    .map(({ bytes, first, length, apart }) => ({
      bytes: 4 * bytes,
      first,
      last: first + length,
      apart: new Set(apart),
    })),
  { maxLength: 40 },
);

const total = (sizes: readonly number[]) => sizes.reduce((sum, bytes) => sum + bytes, 0);
const meet = (a: Lifetime, b: Lifetime) => a.first <= b.last && b.first <= a.last;

it("never lets blocks that live at once overlap, nor blocks share a storage that are to lie apart", () => {
  fc.assert(
    fc.property(lifetimes, fc.constantFrom(1, 4, 32, 256), (blocks, alignment) => {
      const { storages, places } = planMemory(blocks, alignment);
      expect(places.length).toBe(blocks.length);
      for (const [index, block] of blocks.entries()) {
        const { storage, offset } = places[index];
        expect(offset % alignment).toBe(0);
        expect(offset + block.bytes).toBeLessThanOrEqual(storages[storage]);
        for (const [other, otherBlock] of blocks.entries()) {
          if (other === index || places[other].storage !== storage) continue;
          expect(block.apart!.has(other), `blocks ${index} and ${other} share a storage`).toBe(false);
          const disjoint =
            offset + block.bytes <= places[other].offset || places[other].offset + otherBlock.bytes <= offset;
          expect(disjoint || !meet(block, otherBlock), `blocks ${index} and ${other} overlap`).toBe(true);
        }
      }
    }),
    { numRuns: 500 },
  );
});

it("takes no more than separate memory, no less than what lives at once, and no storage beyond the largest block", () => {
  fc.assert(
    fc.property(lifetimes, (blocks) => {
      const { storages, places } = planMemory(blocks);
      expect(total(storages)).toBeLessThanOrEqual(total(blocks.map(({ bytes }) => bytes)));
      expect(total(storages)).toBeGreaterThanOrEqual(mostAlive(blocks));
      expect(Math.max(0, ...storages)).toBe(Math.max(0, ...blocks.map(({ bytes }) => bytes)));
      expect(new Set(places.map(({ storage }) => storage)).size).toBe(storages.length);
    }),
    { numRuns: 500 },
  );
});

it("counts the bytes that live at once launch by launch", () => {
  fc.assert(
    fc.property(lifetimes, (blocks) => {
      const launches = Array.from({ length: 50 }, (_, launch) =>
        total(blocks.filter(({ first, last }) => first <= launch && launch <= last).map(({ bytes }) => bytes)),
      );
      expect(mostAlive(blocks)).toBe(Math.max(...launches));
    }),
  );
});

it("shares along a chain of layers: two storages serve any depth", () => {
  const chain = Array.from({ length: 50 }, (_, index) => ({ bytes: 400, first: index, last: index + 1 }));
  expect(planMemory(chain).storages).toEqual([400, 400]);
  expect(mostAlive(chain)).toBe(800);
});

const at = (bytes: number, first: number, last = first) => ({ bytes, first, last });

it("lays small blocks side by side where a large one lies at another time", () => {
  expect(planMemory([at(40, 0), at(60, 0), at(100, 1)])).toEqual({
    storages: [100],
    places: [
      { storage: 0, offset: 60 },
      { storage: 0, offset: 0 },
      { storage: 0, offset: 0 },
    ],
  });
  expect(planMemory([])).toEqual({ storages: [], places: [] });
});

it("starts blocks at multiples of the alignment, and takes another storage where that leaves no room", () => {
  expect(planMemory([at(40, 0), at(60, 0), at(100, 1)], 64).storages).toEqual([100, 40]);
  expect(planMemory([at(36, 0), at(60, 0), at(100, 1)], 64)).toMatchObject({
    storages: [100],
    places: [{ offset: 64 }, {}, {}],
  });
});

it("keeps apart what one launch reads and writes, even where there is room for both", () => {
  const apart = new Set([1]);
  expect(planMemory([{ ...at(40, 0), apart }, at(60, 0), at(100, 1)]).storages).toEqual([100, 40]);
});
