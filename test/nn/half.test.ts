import { describe, expect, it } from "vitest";
import { halfToFloat } from "../../src/nn/half.js";

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
