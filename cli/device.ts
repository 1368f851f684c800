import { openDevice, type Device } from "../src/tensor/index.js";
import type { CommonOptions } from "./common-options.js";
import type { Progress } from "./progress.js";

/** Opens the device that the options ask for, says which in one line, and destroys it when `work` is done. */
export async function withDevice<T>(
  { device: choice }: CommonOptions,
  progress: Progress,
  work: (device: Device) => Promise<T>,
): Promise<T> {
  const device = await openDevice(choice);
  try {
    progress.say(`device: ${describeDevice(device)}`);
    return await work(device);
  } finally {
    device.destroy();
  }
}

/** The device in words, with the reason where it is not a GPU. */
export function describeDevice({ info }: Device): string {
  if (info.kind === "cpu") return "CPU reference (no WebGPU, slow; `activemixup doctor` tells how to get a faster one)";
  const kind = info.software ? "WebGPU in software" : "WebGPU";
  return `${kind}, ${info.driver || info.adapter}`;
}
