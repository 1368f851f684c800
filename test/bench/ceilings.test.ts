import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ceilingSizes,
  copyBytes,
  copyLaunch,
  multiplyAddFlops,
  multiplyAddLaunch,
} from "../../bench/ceilings/kernels.js";
import { measureCeilings } from "../../bench/ceilings/index.js";
import { openDevice } from "../../src/tensor/index.js";
import { EXACT } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, expectSame, randomInput } from "../kernels/harness.js";

const devices = useDevices();

describe("the ceilings' kernels", () => {
  it("copy every number, whatever the size", async () => {
    const sizes = fc.constantFrom(4, 252, 256, 2044, 2048, 2052, 40_000);
    await fc.assert(
      fc.asyncProperty(sizes, anySeed, async (size, seed) => {
        await expectSame(
          devices,
          { x: randomInput([size], seed) },
          (recorder, { x }) => {
            const out = recorder.temporary([size], "out");
            recorder.add(copyLaunch(x, out));
            return { out };
          },
          EXACT,
        );
      }),
      { numRuns: 12 },
    );
  });

  it("do as many multiply-adds as they are said to", async () => {
    // Whole numbers that f32 holds, so that every step shows.
    const numbers = fc.record({
      rounds: fc.nat(4),
      factor: fc.constantFrom(-1, 0, 1),
      addend: fc.integer({ min: -3, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(64, 1088), numbers, async (size, { rounds, factor, addend }) => {
        await expectSame(
          devices,
          {},
          (recorder) => {
            const out = recorder.temporary([size], "out");
            recorder.add(multiplyAddLaunch(out, rounds, factor, addend));
            return { out };
          },
          EXACT,
        );
      }),
      { numRuns: 12 },
    );
  });
});

it.each(["cpu", "gpu"] as const)("are measured and checked on the %s, and leave no memory behind", async (name) => {
  const device = devices[name];
  const { liveBytes } = device.stats();
  const sampling = { milliseconds: 5, samples: 3, warmUp: 1 };
  const sizes = { copied: 4096, invocations: 128, rounds: 2 };
  const ceilings = await measureCeilings(device, sampling, undefined, sizes);
  for (const { lowest, median, highest } of Object.values(ceilings)) {
    expect(lowest).toBeGreaterThan(0);
    expect(median).toBeGreaterThanOrEqual(lowest);
    expect(highest).toBeGreaterThanOrEqual(median);
  }
  expect(device.stats().liveBytes).toBe(liveBytes);
});

it("are refused where the device gives wrong results", async () => {
  const device = await openDevice("cpu");
  const prepare = device.prepare.bind(device);
  device.prepare = async () => prepare([]);
  const sampling = { milliseconds: 5, samples: 3, warmUp: 1 };
  await expect(
    measureCeilings(device, sampling, undefined, { copied: 4096, invocations: 64, rounds: 1 }),
  ).rejects.toThrow("CPU reference: the multiply-add kernel gives wrong results (sum 0 is 0): mend the driver");
  device.destroy();
});

it("are of the device's size: too much for a cache, within one binding, and exact", () => {
  const device = (software: boolean, bindingBytes: number) =>
    ({ info: { ...devices.gpu.info, software }, capabilities: { ...devices.gpu.capabilities, bindingBytes } }) as const;
  for (const [software, bindingBytes] of [
    [true, 2 ** 27],
    [false, 2 ** 27],
    [false, 2 ** 31],
  ] as const) {
    const sizes = ceilingSizes({ ...devices.gpu, ...device(software, bindingBytes) });
    expect(4 * sizes.copied).toBeGreaterThanOrEqual(2 ** 26);
    expect(4 * sizes.copied).toBeLessThanOrEqual(bindingBytes);
    expect(copyBytes(sizes)).toBe(8 * sizes.copied);
    expect(multiplyAddFlops(sizes)).toBe(2 * sizes.invocations * 12 * 16 * sizes.rounds);
    expect(sizes.invocations / 64).toBeLessThanOrEqual(65535);
    // The largest sum has to be a whole number that f32 holds.
    expect(144 * 1023 + 66 + 12 * 16 * sizes.rounds).toBeLessThan(2 ** 24);
  }
});
