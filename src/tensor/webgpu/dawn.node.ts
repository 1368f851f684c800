import { createRequire } from "node:module";
import { DeviceError } from "../../errors.js";
import { discoverQuietly } from "./quiet.node.js";

/** `safe` keeps Dawn's validation and bounds checks, `fast` leaves them out. */
export type Profile = "safe" | "fast";

// Dawn passes over names that it does not know, so that none of these can keep it from starting.
const FEATURES = [
  "vulkan_enable_f16_on_nvidia",
  // Subgroup matrices are experimental, and on Vulkan need the memory model.
  "allow_unsafe_apis",
  "use_vulkan_memory_model",
];

const ENABLED: Readonly<Record<Profile, readonly string[]>> = {
  safe: FEATURES,
  fast: [
    ...FEATURES,
    "skip_validation",
    "disable_robustness",
    "disable_workgroup_init",
    "disable_polyfills_on_integer_div_and_mod",
  ],
};

// Timestamps in steps of 0.1 ms are of no use for measuring kernels.
const DISABLED = ["timestamp_quantization"];

const SUPPORTED = "Linux with glibc 2.34 or later (Debian 12, Ubuntu 22.04), macOS or Windows, on x64 or arm64";

/** The toggles that a profile sets, for the record: those that it turns off have a minus sign. */
export function togglesOf(profile: Profile): readonly string[] {
  return [...ENABLED[profile], ...DISABLED.map((toggle) => `-${toggle}`)];
}

/** What a profile asks of Dawn's `create()`. */
export function dawnOptions(profile: Profile): string[] {
  return [`enable-dawn-features=${ENABLED[profile].join(",")}`, `disable-dawn-features=${DISABLED.join(",")}`];
}

/** What implements WebGPU in Node, with the version of the npm package that brings it. */
export function dawnVersion(): string {
  const { version } = createRequire(import.meta.url)("webgpu/package.json") as { version: string };
  return `Dawn (webgpu ${version})`;
}

// Held until the process ends: Dawn goes on using an entry after the last device of it is destroyed, and a garbage
// collection in between would end the process with a crash.
const entries = new Map<Profile, Promise<GPU>>();

/**
 * Loads Dawn, the WebGPU implementation of the npm package `webgpu`, and finds the adapters of the machine: once for
 * each profile, later calls give the same entry. The WebGPU globals (`GPUBufferUsage`, `GPUMapMode` and so on) are set
 * where they are absent. The process ends by itself after `device.destroy()`.
 * @throws DeviceError where Dawn does not run on this platform.
 */
export async function loadDawn({ profile = "safe" }: { profile?: Profile } = {}): Promise<GPU> {
  let entry = entries.get(profile);
  if (!entry) {
    entry = createEntry(profile);
    entries.set(profile, entry);
  }
  return entry;
}

async function createEntry(profile: Profile): Promise<GPU> {
  const { create, globals } = await importDawn();
  for (const [name, value] of Object.entries(globals)) {
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  const gpu = create(dawnOptions(profile));
  await discoverQuietly(() => gpu.requestAdapter());
  return gpu;
}

async function importDawn(): Promise<typeof import("webgpu")> {
  try {
    return await import("webgpu");
  } catch (error) {
    const [reason] = (error as Error).message.split("\n");
    throw new DeviceError(
      `Dawn (the npm package "webgpu") does not load on ${process.platform}-${process.arch}: ${reason}; it needs ` +
        `${SUPPORTED}: run \`npm ci\` again, or take the device "cpu"`,
    );
  }
}
