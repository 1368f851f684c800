import { cpus, release, type as system } from "node:os";
import type { Device } from "../src/tensor/index.js";
import type { Profile, Setting } from "./report.js";

/** Where and with what a device is measured, now. */
export function describeSetting({ info, capabilities }: Device, profile: Profile): Setting {
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    profile,
    device: info,
    tuned: Object.keys(capabilities.tuned).length,
    dawn: info.implementation,
    node: process.version,
    system: `${system()} ${release()} ${process.arch}`,
    cpus: `${processors.length} × ${processors[0]?.model.trim() || "unknown processor"}`,
  };
}
