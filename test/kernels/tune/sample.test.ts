import { describe, expect, it } from "vitest";
import { Sampler } from "../../../src/kernels/tune/sample.js";
import type { Recording } from "../../../src/tensor/index.js";

/** A recording of which a run takes so many milliseconds, and that tells how many runs each submit had. */
function pretend(software: boolean, each: number) {
  const submits: number[] = [];
  let until = 0;
  const finish = () => new Promise<void>((resolve) => setTimeout(resolve, until - performance.now()));
  const run = (times: number) => {
    submits.push(times);
    until = Math.max(until, performance.now()) + times * each;
  };
  return { submits, recording: { device: { info: { software }, finish }, run } as unknown as Recording<unknown> };
}

describe("a sample", () => {
  it.each([
    ["on hardware is several submits, so that the device works while the next is encoded", false, 10],
    ["on a software driver is one", true, 1],
  ])("%s", async (_, software, expected) => {
    const { submits, recording } = pretend(software, 0.5);
    const sampler = new Sampler(recording, { milliseconds: 40, samples: 1, patience: 10_000 });
    await sampler.warmUp();
    submits.length = 0;
    await sampler.sample();
    expect(submits).toHaveLength(expected);
    const runs = submits.reduce((sum, one) => sum + one);
    expect(runs).toBeGreaterThan(50);
    expect(Math.max(...submits)).toBe(Math.ceil(runs / expected));
    expect(sampler.milliseconds[0]).toBeGreaterThanOrEqual(0.49);
  });
});
