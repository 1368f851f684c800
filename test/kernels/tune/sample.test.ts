import { afterEach, describe, expect, it, vi } from "vitest";
import { Sampler } from "../../../src/kernels/tune/sample.js";
import type { Recording } from "../../../src/tensor/index.js";

afterEach(() => {
  vi.restoreAllMocks();
});

/** A recording of which a run takes so many milliseconds of a clock of its own, and that tells how long submits are. */
function pretend(software: boolean, each: number) {
  const submits: number[] = [];
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const finish = () => {
    now += each * submits.reduce((sum, runs) => sum + runs, 0) - now;
    return Promise.resolve();
  };
  const run = (times: number) => submits.push(times);
  return { submits, recording: { device: { info: { software }, finish }, run } as unknown as Recording<unknown> };
}

describe("a sample", () => {
  it.each([
    ["on hardware is several submits, so that the device works while the next is encoded", false, 10],
    ["on a software driver is one", true, 1],
  ])("%s", async (_, software, expected) => {
    const { submits, recording } = pretend(software, 0.25);
    const sampler = new Sampler(recording, { milliseconds: 30, samples: 1, patience: 10_000 });
    await sampler.warmUp();
    const warm = submits.length;
    await sampler.sample();
    const sample = submits.slice(warm);
    const runs = sample.reduce((sum, one) => sum + one);
    expect(runs).toBeGreaterThanOrEqual(120);
    expect(Math.max(...sample)).toBe(Math.ceil(runs / expected));
    expect(sample).toHaveLength(Math.ceil(runs / Math.max(...sample)));
    expect(sampler.milliseconds).toEqual([0.25]);
  });
});
