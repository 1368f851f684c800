import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ceilingSizes,
  copyBytes,
  copyLaunch,
  multiplyAddFlops,
  multiplyAddLaunch,
} from "../../bench/ceilings/kernels.js";
import { CeilingMeter } from "../../bench/ceilings/index.js";
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

const sampling = { milliseconds: 5, samples: 3, warmUp: 1 };
const sizes = { copied: 4096, invocations: 128, rounds: 2 };

it.each(["cpu", "gpu"] as const)(
  "are the best of several passes on the %s, and leave no memory behind",
  async (name) => {
    const device = devices[name];
    const { liveBytes } = device.stats();
    const meter = await CeilingMeter.create(device, sizes);
    for (let pass = 0; pass < 3; pass++) await meter.measure(sampling);
    for (const { best, passes } of Object.values(meter.ceilings)) {
      expect(passes.length).toBe(3);
      expect(Math.min(...passes)).toBeGreaterThan(0);
      expect(best).toBe(Math.max(...passes));
    }
    meter.dispose();
    expect(device.stats().liveBytes).toBe(liveBytes);
  },
);

it("are refused where the device gives wrong results", async () => {
  const device = await openDevice("cpu");
  const prepare = device.prepare.bind(device);
  device.prepare = async () => prepare([]);
  const meter = await CeilingMeter.create(device, sizes);
  await expect(meter.measure(sampling)).rejects.toThrow(
    "CPU reference: the multiply-add kernel gives wrong results (sum 0 is 0): mend the driver",
  );
  meter.dispose();
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
    const chosen = ceilingSizes({ ...devices.gpu, ...device(software, bindingBytes) });
    expect(4 * chosen.copied).toBeGreaterThanOrEqual(2 ** 26);
    expect(4 * chosen.copied).toBeLessThanOrEqual(bindingBytes);
    expect(copyBytes(chosen)).toBe(8 * chosen.copied);
    expect(multiplyAddFlops(chosen)).toBe(2 * chosen.invocations * 12 * 16 * chosen.rounds);
    expect(chosen.invocations / 64).toBeLessThanOrEqual(65535);
    // The largest sum has to be a whole number that f32 holds.
    expect(144 * 1023 + 66 + 12 * 16 * chosen.rounds).toBeLessThan(2 ** 24);
  }
});
