import { describe, expect, it } from "vitest";
import { conv2dWeightGradient } from "../../../src/kernels/conv2d/index.js";
import { matmul } from "../../../src/kernels/matmul/index.js";
import { problemsOf, tune, winnerOf, type Measured } from "../../../src/kernels/tune/index.js";
import { DeviceError, openDevice, Recorder, type Device } from "../../../src/tensor/index.js";
import { useDevices } from "../../devices.js";
import { doubling } from "./doubling.js";

const devices = useDevices();
const open = () => openDevice("webgpu", { poison: true });
const sampling = { milliseconds: 2, samples: 3, patience: 20_000 };

/** The samples of a variant, or why it is out. */
const outcome = ({ timings }: Measured, variant: string): number | string => {
  const timing = timings[variant];
  return "failure" in timing ? timing.failure : timing.milliseconds.length;
};

describe("tuning", () => {
  it("finds the fastest of those that are right, and says what is wrong with the others", async () => {
    const problem = doubling(16, ["slow", "off by one", "plain", "last left out", "broken"]);
    const progress: number[][] = [];
    const [measured, ...others] = await tune(open, [problem], {
      sampling,
      onProgress: (...done) => progress.push(done),
    });
    expect(others).toEqual([]);
    expect(measured).toMatchObject({ key: "double 16", byRule: "slow" });
    expect(winnerOf(measured)).toBe("plain");
    expect(outcome(measured, "plain")).toBe(3);
    // Hopeless after the first.
    expect(outcome(measured, "slow")).toBe(1);
    expect(outcome(measured, "off by one")).toMatch(/^15 of 16 values are wrong, the first is /);
    expect(outcome(measured, "last left out")).toMatch(/^1 of 16 values are wrong, the first is NaN for /);
    expect(outcome(measured, "broken")).toMatch(/^kernel double\/broken does not compile: .*nonsense/);
    expect(progress).toEqual([1, 2, 3, 4, 5].map((done) => [done, 5]));
  });

  it("gives up a candidate that does not answer, and goes on with another device", async () => {
    const opened: Device[] = [];
    const measured = await tune(
      async () => {
        const device = await open();
        opened.push(device);
        return device;
      },
      [doubling(1, ["plain", "for ever"]), doubling(2, ["plain"])],
      { sampling: { ...sampling, patience: 300 } },
    );
    expect(measured.map((each) => outcome(each, "plain"))).toEqual([3, 3]);
    expect(outcome(measured[0], "for ever")).toBe("no answer within 0.3 s");
    expect(opened).toHaveLength(2);
    for (const device of opened) expect(() => device.allocate(4, "late")).toThrow("was destroyed");
  });

  it("ends early on an abort, and gives what is done", async () => {
    const interrupt = new AbortController();
    const kept: Measured[] = [];
    const measured = await tune(open, [doubling(1, ["plain"]), doubling(2, ["plain"]), doubling(3, ["plain"])], {
      sampling,
      signal: interrupt.signal,
      onMeasured: (each) => {
        kept.push(each);
        if (kept.length === 2) interrupt.abort(new Error("interrupted"));
      },
    });
    expect(measured.map(({ key }) => key)).toEqual(["double 1", "double 2"]);
    expect(kept).toEqual(measured);
  });

  it("passes on what is no candidate's fault, and destroys the device", async () => {
    let device: Device | undefined;
    const failing = tune(async () => (device = await open()), [doubling(1, ["plain"])], {
      sampling,
      onMeasured: () => {
        throw new Error("disk full");
      },
    });
    await expect(failing).rejects.toThrow("disk full");
    expect(() => device!.allocate(4, "late")).toThrow("was destroyed");
    const none = () => Promise.reject(new DeviceError("no adapter"));
    await expect(tune(none, [doubling(1, ["plain"])])).rejects.toThrow("no adapter");
  });

  it("measures every candidate of a product and of a weight gradient in parts, and finds them right", async () => {
    const recorder = new Recorder(devices.gpu);
    const tensor = (...shape: number[]) => recorder.temporary(shape, "input");
    matmul(recorder, tensor(5, 9), tensor(7, 9), tensor(7), { transposeB: true, relu: true });
    conv2dWeightGradient(recorder, tensor(9, 2, 6, 6), tensor(9, 3, 6, 6), [3, 2, 3, 3], { padding: 1 });
    const problems = problemsOf(recorder.launches);
    const measured = await tune(open, problems, { sampling });
    expect(measured.map(({ key }) => key)).toEqual(problems.map(({ key }) => key));
    for (const [index, { candidates }] of problems.entries()) {
      expect(Object.keys(measured[index].timings)).toEqual(candidates);
      for (const variant of candidates) expect(outcome(measured[index], variant)).toBeGreaterThanOrEqual(1);
    }
  });
});
