import { expect, it } from "vitest";
import { arithmetic, kernelCase } from "../../bench/cases/case.js";
import { runSuite } from "../../bench/suite.js";
import { add } from "../../src/kernels/index.js";
import { useDevices } from "../devices.js";

const devices = useDevices();

const sampling = { milliseconds: 5, samples: 3, warmUp: 1 };
const tiny = (name: string) =>
  kernelCase(name, arithmetic(64), [[64], [64]], (recorder, [a, b]) => add(recorder, a, b));

it("measures case after case, and leaves no memory behind", async () => {
  const { liveBytes } = devices.gpu.stats();
  const told: [string, number][] = [];
  const { rows, ceilings } = await runSuite(devices.gpu, [tiny("first"), tiny("second")], sampling, "safe", {
    onCase: ({ name }, done) => told.push([name, done]),
  });
  expect(told).toEqual([
    ["first", 0],
    ["second", 1],
  ]);
  expect(rows.map(({ name }) => name)).toEqual(["first", "second"]);
  for (const { share, work } of rows) expect(share).toBeCloseTo(work / ceilings["multiply-add"].best, 12);
  expect(ceilings.copy.passes.length).toBe(2);
  expect(devices.gpu.stats().liveBytes).toBe(liveBytes);
});

it("keeps the rows that were measured before an interruption, and frees the one that was not", async () => {
  const { liveBytes } = devices.gpu.stats();
  const control = new AbortController();
  const reason = new Error("interrupted");
  const cases = ["first", "second", "third"].map(tiny);
  const { rows, ceilings } = await runSuite(devices.gpu, cases, sampling, "safe", {
    signal: control.signal,
    onCase: (_, done) => {
      if (done === 1) control.abort(reason);
    },
  });
  expect(rows.map(({ name }) => name)).toEqual(["first"]);
  expect(ceilings["multiply-add"].passes.length).toBe(1);
  await expect(runSuite(devices.gpu, cases, sampling, "safe", { signal: control.signal })).rejects.toBe(reason);
  expect(devices.gpu.stats().liveBytes).toBe(liveBytes);
});
