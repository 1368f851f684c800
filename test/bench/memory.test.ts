import { expect, it } from "vitest";
import { formatMemory, planSteps } from "../../bench/memory.js";
import { LINE_WIDTH } from "../../bench/format.js";
import { useDevices } from "../devices.js";

const devices = useDevices();

it("plans the memory of training steps without taking any, and sharing gets near to the least that is possible", async () => {
  const { liveBytes } = devices.gpu.stats();
  const steps = await planSteps(devices.gpu);
  expect(devices.gpu.stats().liveBytes).toBe(liveBytes);
  expect(steps.map(({ name }) => name)).toEqual(["vgg16 training, batch 128", "lenet5 training, batch 64"]);
  for (const { name, unshared, shared, least } of steps) {
    expect(shared, name).toBeGreaterThanOrEqual(least);
    expect(shared, name).toBeLessThan(1.15 * least);
    expect(unshared, name).toBeGreaterThan(1.25 * shared);
  }
  const [vgg] = steps;
  expect(vgg.shared).toBeLessThan(1.02 * vgg.least);
  // 14.7 million parameters, padded to where a binding may start.
  expect(vgg.optimizer / 4).toBeGreaterThan(14.72e6);
  expect(vgg.optimizer / 4).toBeLessThan(14.74e6);
  expect(vgg.network).toBe(2 * vgg.optimizer);
  for (const line of formatMemory(steps).split("\n")) expect(line.length).toBeLessThanOrEqual(LINE_WIDTH);
});
