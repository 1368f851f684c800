import { CpuDevice, type Capabilities, type Device } from "../../../src/tensor/index.js";

/** The CPU reference with the capabilities of a device that can run every variant: for plans that nothing runs. */
export function capableDevice(different: Partial<Capabilities> = {}): Device {
  const device = new CpuDevice();
  const own = { subgroups: true, subgroupSize: 8, f16: true, workgroupMemory: 32768, workgroupInvocations: 1024 };
  return Object.assign(device, { capabilities: { ...device.capabilities, ...own, ...different } });
}
