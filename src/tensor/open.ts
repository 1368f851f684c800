import { DeviceError, InputError } from "../errors.js";
import { CpuDevice } from "./cpu/device.js";
import type { Device, TunedVariants } from "./device.js";
import { openWebGpu, type WebGpuOptions } from "./webgpu/open.js";

/** `auto` takes a hardware adapter, else a software one, else the CPU reference. */
export type DeviceChoice = "auto" | "webgpu" | "cpu";

const choices: readonly DeviceChoice[] = ["auto", "webgpu", "cpu"];
const profiles = ["safe", "fast"] as const;

/** What `navigator.gpu` and Dawn's entry have in common: so much of WebGPU's types is all that a caller needs to know. */
export interface WebGpuEntry {
  requestAdapter(options?: object): Promise<object | null>;
}

/** How {@link openDevice} opens a device. */
export interface OpenOptions {
  /** Dawn's speed toggles: `fast` leaves out validation and bounds checks, `safe` keeps them; `safe` where absent. */
  profile?: (typeof profiles)[number];
  /** Fill new memory with NaN bits, to show kernels that read what nobody wrote. */
  poison?: boolean;
  /** The WebGPU entry to use; the browser's `navigator.gpu`, else Dawn, where absent. */
  gpu?: WebGpuEntry;
  /**
   * Variants that were measured to be the fastest, or a function that finds them once the device is known. None where
   * absent: results then depend on the device and the release alone. With `tuned: rememberedVariants` of
   * `activemixup/kernels`, in Node, those that `activemixup tune` found on this device run.
   */
  tuned?: TunedVariants | ((device: Device) => TunedVariants | Promise<TunedVariants>);
  /** Told in a sentence of each tuned variant that fails; the rule's variant runs instead. */
  onTunedFailure?: (message: string) => void;
}

/**
 * Opens the device that computes. The caller destroys it.
 * @throws DeviceError where `webgpu` is asked for and no adapter answers; InputError where the choice or the profile is
 * none.
 */
export async function openDevice(choice: DeviceChoice, options: OpenOptions = {}): Promise<Device> {
  const { profile = "safe", tuned, onTunedFailure } = options;
  expectOneOf("openDevice: the device", choice, choices);
  expectOneOf("openDevice: profile", profile, profiles);
  const device = await openUntuned(choice, options);
  try {
    if (tuned) device.useTuned(typeof tuned === "function" ? await tuned(device) : tuned, onTunedFailure);
    return device;
  } catch (error) {
    device.destroy();
    throw error;
  }
}

function expectOneOf(what: string, value: string, known: readonly string[]): void {
  if (!known.includes(value)) throw new InputError(`${what} is "${value}"; expected ${known.join(", ")}`);
}

async function openUntuned(choice: DeviceChoice, options: OpenOptions): Promise<Device> {
  if (choice === "cpu") return new CpuDevice(options.poison);
  try {
    const { gpu, ...known } = await openEntry(options);
    return await openWebGpu(gpu, { poison: options.poison, ...known });
  } catch (error) {
    if (choice === "webgpu" || !(error instanceof DeviceError)) throw error;
    return new CpuDevice(options.poison);
  }
}

/** What tells a browser from Node. */
interface Surroundings {
  navigator?: { gpu?: GPU; userAgent: string };
  process?: { versions?: { node?: string } };
}

type Entry = { readonly gpu: GPU } & Pick<WebGpuOptions, "toggles" | "probe" | "implementation" | "wait">;

async function openEntry({ gpu, profile = "safe" }: OpenOptions): Promise<Entry> {
  if (gpu) return { gpu: gpu as GPU };
  const { navigator, process } = globalThis as Surroundings;
  if (navigator?.gpu) return { gpu: navigator.gpu, implementation: navigator.userAgent };
  if (!process?.versions?.node) {
    throw new DeviceError(
      "this browser has no WebGPU (navigator.gpu is missing): it takes a browser that has it, and a page from https or " +
        'localhost; openDevice("cpu") computes without',
    );
  }
  const { dawnOptions, dawnVersion, loadDawn, togglesOf } = await import("./webgpu/dawn.node.js");
  const { probeMatrices } = await import("./webgpu/matrix-probe.node.js");
  const { waitForDawn } = await import("./webgpu/wait.node.js");
  return {
    gpu: await loadDawn({ profile }),
    toggles: togglesOf(profile),
    implementation: dawnVersion(),
    probe: (adapter) => probeMatrices(adapter, { options: dawnOptions(profile) }),
    wait: waitForDawn,
  };
}
