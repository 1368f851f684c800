import { openDevice, type Device } from "../src/tensor/index.js";
import type { CommonOptions } from "./common-options.js";
import type { Progress } from "./progress.js";
import { tunedVariants } from "./tuning.js";

/**
 * Opens the device that the options ask for, with the variants that `tune` found on it, says which in one line, and
 * destroys it when `work` is done.
 */
export async function withDevice<T>(
  { device: choice, profile }: CommonOptions,
  progress: Progress,
  work: (device: Device) => Promise<T>,
): Promise<T> {
  const device = await openDevice(choice, {
    profile,
    tuned: (device) => tunedVariants(device, progress),
    onTunedFailure: (message) => {
      progress.say(`warning: ${message}; \`activemixup tune --again\` measures anew`);
    },
  });
  try {
    progress.say(`device: ${describeDevice(device)}`);
    return await work(device);
  } finally {
    device.destroy();
  }
}

/** The device in words, with the reason where it is not a GPU. */
export function describeDevice({ info, capabilities }: Device): string {
  if (info.kind === "cpu") return "CPU reference (no WebGPU, slow; `activemixup doctor` tells how to get a faster one)";
  const kind = info.software ? "WebGPU in software" : "WebGPU";
  const tuned = Object.keys(capabilities.tuned).length;
  return `${kind}, ${info.driver || info.adapter}${tuned === 0 ? "" : tuned === 1 ? ", 1 tuned variant" : `, ${tuned} tuned variants`}`;
}
