import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { floatToHalf, halfToFloat } from "../../src/tensor/half.js";

describe("halfToFloat", () => {
  it.each([
    [0x0000, 0],
    [0x8000, -0],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x3c00, 1],
    [0x3c01, 1 + 2 ** -10],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
    [0x7e00, NaN],
    [0xfc01, NaN],
  ])("0x%s is %s", (bits, value) => {
    expect(halfToFloat(bits)).toBe(value);
  });

  it("rises with its bits, by equal steps within each exponent", () => {
    const wrong: number[] = [];
    for (let bits = 1; bits < 0x7c00; bits++) {
      const exponent = Math.max(1, (bits - 1) >>> 10);
      if (halfToFloat(bits) - halfToFloat(bits - 1) !== 2 ** (exponent - 25)) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  });
});

describe("floatToHalf", () => {
  it("gives every number of 16 bits its own bits back", () => {
    const wrong: number[] = [];
    for (let bits = 0; bits <= 0xffff; bits++) {
      const value = halfToFloat(bits);
      if (floatToHalf(value) !== (Number.isNaN(value) ? 0x7e00 : bits)) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  });

  it("rounds what lies between two neighbours to the nearer, halfway to the even one, on both sides of 0", () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < 0x7c00; bits++) {
      const low = halfToFloat(bits);
      // Above the largest lies where the next would be, were there one.
      const high = bits === 0x7bff ? 65536 : halfToFloat(bits + 1);
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const nearMiddle = (high - low) * 2 ** -30;
      const expected: [number, number][] = [
        [middle, even],
        [middle - nearMiddle, bits],
        [middle + nearMiddle, bits + 1],
      ];
      for (const [value, nearest] of expected) {
        if (floatToHalf(value) !== nearest || floatToHalf(-value) !== nearest + 0x8000) wrong.push(bits);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("is as near as any of 16 bits, and never turns the order round", () => {
    const finite = fc.double({ min: -65519, max: 65519, noNaN: true });
    fc.assert(
      fc.property(finite, finite, (a, b) => {
        const bits = floatToHalf(a);
        const error = Math.abs(halfToFloat(bits) - a);
        for (const neighbour of [bits - 1, bits + 1]) {
          const other = halfToFloat(neighbour & 0xffff);
          if (Number.isFinite(other)) expect(error).toBeLessThanOrEqual(Math.abs(other - a));
        }
        const [low, high] = a < b ? [a, b] : [b, a];
        expect(halfToFloat(floatToHalf(low))).toBeLessThanOrEqual(halfToFloat(floatToHalf(high)));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [-1e300, 0xfc00],
    [Infinity, 0x7c00],
    [NaN, 0x7e00],
    [-0, 0x8000],
    [2 ** -25, 0],
    [2 ** -25 + 2 ** -60, 1],
    [Number.MIN_VALUE, 0],
  ])("of %d is %d", (value, bits) => {
    expect(floatToHalf(value)).toBe(bits);
  });
});
