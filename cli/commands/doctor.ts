import { release, type as system } from "node:os";
import { Command } from "commander";
import { DeviceError } from "../../src/errors.js";
import { tuningKey } from "../../src/kernels/index.js";
import { readTuning } from "../../src/kernels/tune/store.node.js";
import { openDevice, type Capabilities, type Device, type DeviceInfo } from "../../src/tensor/index.js";
import { describeNoAdapter } from "../../src/tensor/webgpu/drivers.node.js";
import type { CommonOptions } from "../common-options.js";
import { summariseMeasured } from "../tuning.js";
import { version } from "../version.js";

/** `activemixup doctor`: what computes here, why, and how to get something faster. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description(
      "show the adapter, its driver, features and limits, which device is used and why, and how to improve it",
    )
    .action(async (options: CommonOptions) => {
      const diagnosis = await diagnose(options);
      process.stdout.write(options.json ? `${JSON.stringify(diagnosis)}\n` : `${describe(diagnosis)}\n`);
    });
}

interface Diagnosis {
  readonly version: string;
  readonly node: string;
  readonly system: string;
  /** Absent where no WebGPU adapter answers. */
  readonly adapter?: { readonly info: DeviceInfo; readonly capabilities: Capabilities };
  /** What `tune` measured on the adapter, in words. */
  readonly tuned?: string;
  /** Why no adapter answers. */
  readonly failure?: string;
  readonly asked: CommonOptions["device"];
  /** What a run with the same `--device` uses; absent where it could not start. */
  readonly used?: "webgpu" | "cpu";
  readonly reason: string;
  readonly cure?: string;
}

async function diagnose({ device: asked, profile }: CommonOptions): Promise<Diagnosis> {
  const base = { version, node: process.version, system: `${system()} ${release()} ${process.arch}`, asked };
  try {
    const device = await openDevice("webgpu", { profile });
    const { info, capabilities } = device;
    const tuned = await describeTuned(device);
    device.destroy();
    return { ...base, adapter: { info, capabilities }, tuned, ...choose(asked, info) };
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    const used = asked === "webgpu" ? undefined : "cpu";
    const reason = asked === "cpu" ? "--device cpu asks for it" : "no WebGPU adapter answers";
    return { ...base, failure: error.message, used, reason, cure: describeNoAdapter() };
  }
}

async function describeTuned(device: Device): Promise<string> {
  const { path, tuning, damage } = await readTuning(await tuningKey(device));
  if (damage) return `no: ${damage}; \`activemixup tune\` measures anew`;
  if (!tuning) return "not yet; `activemixup tune` finds out which variants of the kernels are the fastest here";
  const [last] = tuning.problems
    .map(({ date }) => date.slice(0, 10))
    .sort()
    .reverse();
  return `${summariseMeasured(tuning.problems)}, ${last} (${path})`;
}

function choose(asked: CommonOptions["device"], info: DeviceInfo): Pick<Diagnosis, "used" | "reason" | "cure"> {
  const cure = info.software
    ? "The adapter computes on the CPU. With a GPU in the machine, install its Vulkan driver (NVIDIA: the driver package " +
      "with its Vulkan part, in a container NVIDIA_DRIVER_CAPABILITIES=all; AMD and Intel: mesa-vulkan-drivers)."
    : undefined;
  if (asked === "cpu") return { used: "cpu", reason: "--device cpu asks for it", cure };
  const reason = info.software ? "it is the only kind of adapter that answers" : "it is a hardware adapter";
  return { used: "webgpu", reason, cure };
}

function describe({ version, node, system, adapter, tuned, failure, used, reason, cure }: Diagnosis): string {
  const lines: [string, string][] = [["activemixup", `${version}, Node ${node}, ${system}`]];
  if (adapter) {
    const { info, capabilities } = adapter;
    const features = [capabilities.subgroups && "subgroups", capabilities.f16 && "f16"].filter(Boolean);
    lines.push(
      ["adapter", `${info.adapter} (${info.software ? "software" : "hardware"}, vendor ${info.vendor})`],
      ["driver", info.driver],
      ["features", features.join(", ") || "none of those in use"],
      [
        "limits",
        `${mebibytes(capabilities.bindingBytes)} a buffer binding, ${capabilities.workgroupMemory / 1024} KiB workgroup ` +
          `memory, ${capabilities.workgroupInvocations} invocations a workgroup`,
      ],
      ["matrices", `of subgroups: ${info.subgroupMatrix}`],
      ["toggles", info.toggles.join(", ") || "none"],
      ["WebGPU", info.implementation],
      ["tuned", tuned!],
    );
  } else {
    lines.push(["adapter", `none: ${failure}`]);
  }
  lines.push([
    "used",
    used ? `${used === "cpu" ? "CPU reference" : "WebGPU"}, because ${reason}` : `nothing: ${reason}`,
  ]);
  if (cure) lines.push(["better", cure]);
  return lines.map(([name, value]) => `${`${name}:`.padEnd(13)}${value}`).join("\n");
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
