import { describe, expect, it } from "vitest";
import { labelOf, unitOf } from "../../cli/phases.js";
import { formatProgress as formatLine, formatSpeed, StreamProgress } from "../../cli/progress.js";

/** A line of work of which all that is done was done in so many seconds. */
function formatProgress(label: string, done: number, total: number, unit: string, seconds: number, columns?: number) {
  return formatLine(label, done, total, unit, formatSpeed(done, total - done, unit, seconds), columns);
}

describe("a line of progress", () => {
  it("has the rate and the time left", () => {
    expect(formatProgress("round 1 train", 512, 2048, "steps", 16)).toBe(
      "round 1 train [#####               ] 25% 512/2048 steps, 32.0 steps/s, 0:48 left",
    );
  });

  it("shortens the bar, and then leaves it out, where there are few columns", () => {
    const line = (columns: number) => formatProgress("round 12 select", 9000, 36000, "pairs", 3, columns);
    const long = "round 12 select [#####               ] 25% 9000/36000 pairs, 3000 pairs/s, 0:09 left";
    expect(line(long.length)).toBe(long);
    expect(line(79)).toBe("round 12 select [###            ] 25% 9000/36000 pairs, 3000 pairs/s, 0:09 left");
    expect(line(65)).toBe("round 12 select [ ] 25% 9000/36000 pairs, 3000 pairs/s, 0:09 left");
    expect(line(64)).toBe("round 12 select 25% 9000/36000 pairs, 3000 pairs/s, 0:09 left");
    expect(line(18)).toBe("round 12 select 25");
  });

  it("has the time taken at the end", () => {
    expect(formatProgress("training", 300, 300, "steps", 65)).toBe(
      "training [####################] 100% 300/300 steps, 4.62 steps/s, took 1:05",
    );
  });

  it("claims no rate where no time was measured", () => {
    expect(formatProgress("query", 200, 200, "queries", 0)).toBe("query [####################] 100% 200/200 queries");
    expect(formatProgress("train", 0, 200, "steps", 0)).toBe("train [                    ] 0% 0/200 steps");
    expect(formatProgress("train", 0, 200, "steps", 5)).toBe("train [                    ] 0% 0/200 steps");
  });
});

it("counts pairs where candidates are blends of pairs, and images where they are not", () => {
  expect(unitOf("select", { candidates: "mix" })).toBe("pairs");
  for (const candidates of ["warp", "cutmix", "mixture"] as const) {
    expect(unitOf("select", { candidates })).toBe("images");
    expect([unitOf("train", { candidates }), unitOf("holdout", { candidates })]).toEqual(["steps", "queries"]);
  }
  expect([labelOf("select", 2), labelOf("holdout", 0)]).toEqual(["round 2 select", "held-out images"]);
  expect([labelOf("prepare", 0), unitOf("prepare", { candidates: "cutmix" })]).toEqual(["images compared", "pairs"]);
});

describe("progress on a terminal", () => {
  it("counts the time of work from its beginning, whatever is said meanwhile", async () => {
    const written: string[] = [];
    const stream = { isTTY: true, columns: 80, write: (text: string) => written.push(text) };
    const progress = new StreamProgress(stream as unknown as NodeJS.WriteStream);
    progress.update("query", 9000, 9040, "queries"); // known from a run before: of no time
    await new Promise((resolve) => setTimeout(resolve, 400));
    progress.say("the teacher failed");
    progress.update("query", 9040, 9040, "queries");
    const rate = Number(/9040\/9040 queries, ([\d.]+) queries\/s/.exec(written.join(""))?.[1]);
    expect(rate).toBeGreaterThan(0);
    expect(rate).toBeLessThan(101); // of 40 queries in 400 ms and not less
    expect(written[1]).toBe("\n");
    expect(written[2]).toBe("the teacher failed\n");
    expect(written.at(-1)).toBe("\n");
  });
});
