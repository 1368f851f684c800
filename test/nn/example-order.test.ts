import { describe, expect, it } from "vitest";
import { orderOf } from "../../src/nn/index.js";

describe("the order of examples", () => {
  it("goes through all of them before any comes again, in another order each time and each round", () => {
    const order = orderOf(10, 5, undefined, 1, 0);
    const passes = [order.take(10), order.take(10)];
    for (const pass of passes) expect([...pass].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(passes[1]).not.toEqual(passes[0]);
    expect(orderOf(10, 5, undefined, 1, 0).take(10)).toEqual(passes[0]);
    expect(orderOf(10, 5, undefined, 1, 1).take(10)).not.toEqual(passes[0]);
    expect(orderOf(10, 5, undefined, 2, 0).take(10)).not.toEqual(passes[0]);
  });

  it("has the emphasised in each batch by their share, and goes through them and the others in turn", () => {
    const [count, batch] = [103, 8];
    const order = orderOf(count, batch, { count: 3, share: 0.25 }, 1, 2);
    const taken = [...order.take(10 * batch), ...order.take(15 * batch)];
    const times = new Map<number, number>();
    for (let start = 0; start < taken.length; start += batch) {
      const now = taken.slice(start, start + batch);
      expect(now.filter((example) => example < 3)).toHaveLength(2);
      for (const example of now) times.set(example, (times.get(example) ?? 0) + 1);
    }
    expect([0, 1, 2].map((example) => times.get(example)).sort()).toEqual([16, 17, 17]);
    const others = Array.from({ length: 100 }, (_, index) => times.get(3 + index));
    expect(Math.min(...others.map((one) => one ?? 0))).toBe(1);
    expect(Math.max(...others.map((one) => one ?? 0))).toBe(2);
  });

  it("has no fewer of the emphasised than their number gives, however small their share, and never these alone", () => {
    const inBatch = (examples: number, batch: number, emphasis: { count: number; share: number }) => {
      const taken = orderOf(examples, batch, emphasis, 1, 1).take(10 * batch);
      return taken.filter((example) => example < emphasis.count).length / 10;
    };
    expect(inBatch(40_000, 128, { count: 100, share: 0.003 })).toBe(1);
    expect(inBatch(40_000, 128, { count: 360, share: 0.01 })).toBe(2);
    expect(inBatch(40_000, 128, { count: 2000, share: 0.4 })).toBe(51);
    expect(inBatch(100, 8, { count: 20, share: 0.9 })).toBe(7);
    expect(inBatch(100, 8, { count: 20, share: 0.99 })).toBe(7);
    expect(inBatch(100, 2, { count: 20, share: 0.3 })).toBe(1);
    expect(() => orderOf(40, 1, { count: 12, share: 0.4 }, 1, 1)).toThrow(
      "order: share is 0.4 of batches of 1 example; expected larger batches",
    );
  });

  it("refuses what has no examples, which no pass would ever fill", () => {
    expect(() => orderOf(0, 4, undefined, 1, 0)).toThrow("order: 0 examples; expected a whole number from 1 up");
    expect(() => orderOf(9, 4, { count: 0, share: 0.5 }, 1, 0)).toThrow("order: 0 emphasised examples");
    for (const share of [NaN, -0.1, 1.1]) {
      expect(() => orderOf(9, 4, { count: 3, share }, 1, 0)).toThrow(`order: share is ${share}; expected`);
    }
  });

  it("emphasises nothing where there are no others, and may leave some out altogether", () => {
    expect(orderOf(6, 3, { count: 6, share: 0.5 }, 1, 0).take(6)).toEqual(orderOf(6, 3, undefined, 1, 0).take(6));
    expect(Math.min(...orderOf(6, 3, { count: 2, share: 0 }, 1, 0).take(30))).toBe(2);
    expect(Math.max(...orderOf(6, 3, { count: 2, share: 1 }, 1, 0).take(30))).toBe(1);
  });
});
