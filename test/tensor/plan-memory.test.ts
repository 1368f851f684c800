import fc from "fast-check";
import { expect, it } from "vitest";
import { planMemory, type Lifetime } from "../../src/tensor/index.js";

const lifetimes: fc.Arbitrary<Lifetime[]> = fc.array(
  fc
    .record({ bytes: fc.integer({ min: 1, max: 64 }), first: fc.nat(30), length: fc.nat(12) })
    .map(({ bytes, first, length }) => ({ bytes: 4 * bytes, first, last: first + length })),
  { maxLength: 40 },
);

const total = (sizes: readonly number[]) => sizes.reduce((sum, bytes) => sum + bytes, 0);

it("never gives one storage to blocks that live at once, and always one that is large enough", () => {
  fc.assert(
    fc.property(lifetimes, (blocks) => {
      const { storages, assignment } = planMemory(blocks);
      expect(assignment.length).toBe(blocks.length);
      for (const [index, block] of blocks.entries()) {
        expect(storages[assignment[index]]).toBeGreaterThanOrEqual(block.bytes);
        for (const [other, { first, last }] of blocks.entries()) {
          if (other === index || assignment[other] !== assignment[index]) continue;
          expect(last < block.first || first > block.last, `blocks ${index} and ${other} share`).toBe(true);
        }
      }
    }),
    { numRuns: 500 },
  );
});

it("takes no more than separate memory, no less than what lives at once, and leaves no storage unused", () => {
  fc.assert(
    fc.property(lifetimes, (blocks) => {
      const { storages, assignment } = planMemory(blocks);
      expect(total(storages)).toBeLessThanOrEqual(total(blocks.map(({ bytes }) => bytes)));
      for (const { first } of blocks) {
        const alive = blocks.filter((block) => block.first <= first && block.last >= first);
        expect(total(storages)).toBeGreaterThanOrEqual(total(alive.map(({ bytes }) => bytes)));
      }
      expect(new Set(assignment).size).toBe(storages.length);
    }),
    { numRuns: 500 },
  );
});

it("shares along a chain of layers: two storages serve any depth", () => {
  const chain = Array.from({ length: 50 }, (_, index) => ({ bytes: 400, first: index, last: index + 1 }));
  expect(planMemory(chain).storages).toEqual([400, 400]);
});

it("takes the free storage that fits best, or enlarges the largest", () => {
  const at = (bytes: number, first: number, last = first) => ({ bytes, first, last });
  expect(planMemory([at(100, 0), at(40, 0), at(60, 0), at(50, 1)]).assignment).toEqual([0, 1, 2, 2]);
  expect(planMemory([at(40, 0), at(60, 0), at(80, 1)])).toEqual({ storages: [40, 80], assignment: [0, 1, 1] });
  expect(planMemory([])).toEqual({ storages: [], assignment: [] });
});
