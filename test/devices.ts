import { afterAll, beforeAll } from "vitest";
import { openDevice, type Device } from "../src/tensor/index.js";

/** The CPU reference and a WebGPU device, both with poisoned memory: opened before a file's tests, destroyed after. */
export interface Devices {
  readonly cpu: Device;
  readonly gpu: Device;
}

/** Opens the devices for the tests of a file. Fails, with the cure, where no WebGPU adapter answers. */
export function useDevices(): Devices {
  const devices: { cpu?: Device; gpu?: Device } = {};
  beforeAll(async () => {
    devices.cpu = await openDevice("cpu", { poison: true });
    devices.gpu = await openDevice("webgpu", { poison: true });
  });
  afterAll(() => {
    devices.cpu?.destroy();
    devices.gpu?.destroy();
  });
  return {
    get cpu() {
      return devices.cpu!;
    },
    get gpu() {
      return devices.gpu!;
    },
  };
}
