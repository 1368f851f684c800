import { DeviceError } from "../errors.js";
import { CpuDevice } from "./cpu/device.js";
import type { Device } from "./device.js";
import { openWebGpu, type WebGpuOptions } from "./webgpu/open.js";

/** `auto` takes a hardware adapter, else a software one, else the CPU reference. */
export type DeviceChoice = "auto" | "webgpu" | "cpu";

export interface OpenOptions {
  /** Dawn's speed toggles: `fast` leaves out validation and bounds checks, `safe` keeps them. */
  profile?: "safe" | "fast";
  /** Fill new memory with NaN bits, to show kernels that read what nobody wrote. */
  poison?: boolean;
  /** The WebGPU entry to use; the browser's `navigator.gpu`, else Dawn, where absent. */
  gpu?: GPU;
}

/**
 * Opens the device that computes. The caller destroys it.
 * @throws DeviceError where `webgpu` is asked for and no adapter answers.
 */
export async function openDevice(choice: DeviceChoice, options: OpenOptions = {}): Promise<Device> {
  if (choice === "cpu") return new CpuDevice(options.poison);
  try {
    const { gpu, ...known } = await openEntry(options);
    return await openWebGpu(gpu, { poison: options.poison, ...known });
  } catch (error) {
    if (choice === "webgpu" || !(error instanceof DeviceError)) throw error;
    return new CpuDevice(options.poison);
  }
}

type Entry = { readonly gpu: GPU } & Pick<WebGpuOptions, "toggles" | "probe">;

async function openEntry({ gpu, profile = "safe" }: OpenOptions): Promise<Entry> {
  const entry = gpu ?? (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (entry) return { gpu: entry };
  const { dawnOptions, loadDawn, togglesOf } = await import("./webgpu/dawn.node.js");
  const { probeMatrices } = await import("./webgpu/matrix-probe.node.js");
  return {
    gpu: await loadDawn({ profile }),
    toggles: togglesOf(profile),
    probe: (adapter) => probeMatrices(adapter, { options: dawnOptions(profile) }),
  };
}
