import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countPairs, Pool } from "../../src/activemixup/candidates/pool.js";
import { InputError } from "../../src/errors.js";

const pairsOf = (pool: Pool) => {
  const pairs = Array.from({ length: pool.size }, (_, candidate) => pool.pairOf(candidate));
  expect(pairs.every(({ first, second }) => 0 <= first && first < second && second < pool.images)).toBe(true);
  return pairs.map(({ first, second }) => `${first} ${second}`);
};

describe("the pool of pairs", () => {
  it("has each pair once, all of them or as many as are asked for, the same by the same seed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 1, max: 900 }), fc.nat(), (images, size, seed) => {
        const all = countPairs(images);
        expect(new Set(pairsOf(new Pool(images, undefined, seed))).size).toBe(all);
        const some = pairsOf(new Pool(images, size, seed));
        expect(some).toHaveLength(Math.min(size, all));
        expect(new Set(some).size).toBe(some.length);
        expect(pairsOf(new Pool(images, size, seed))).toEqual(some);
      }),
    );
  });

  it("gives each candidate but once", () => {
    const pool = new Pool(3, undefined, 0);
    pool.take(1);
    expect([pool.left, [...pool.taken]]).toEqual([2, [0, 1, 0]]);
    expect(() => {
      pool.take(1);
    }).toThrow("candidate 1 was chosen twice");
  });

  it("wants two images at least, and no more than have pairs that are numbered", () => {
    expect(() => countPairs(1)).toThrow(new InputError("--n is 1; mixup needs at least 2 images"));
    expect(countPairs(92_681)).toBe(4_294_837_540);
    // Its pairs would fit 32 bits, but the kernels number none of so many images.
    expect(() => countPairs(92_682)).toThrow(new InputError("--n is 92682; at most 92681 images can be paired"));
    expect(() => new Pool(3, 0, 0)).toThrow(new InputError("--pool is 0; expected a whole number from 1 up"));
  });
});
