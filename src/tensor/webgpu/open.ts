import { DeviceError } from "../../errors.js";
import type { Capabilities, Device, DeviceInfo } from "../device.js";
import { formatMatrix, MATRIX_FEATURE } from "../subgroup-matrix/index.js";
import { describeAdapter, fixedSubgroupSize, isSoftware } from "./adapter.js";
import { WebGpuDevice } from "./device.js";
import { findMatrices, type MatrixProbe } from "./matrices.js";
import type { Wait } from "./wait.js";

/** Limits that are raised from WebGPU's defaults to what the adapter has. */
const RAISED_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxStorageBuffersPerShaderStage",
] as const;

const USED_FEATURES: readonly GPUFeatureName[] = ["shader-f16", "subgroups" as GPUFeatureName];

const REQUESTS = 3;

/** Asks for an adapter, again where none answers at once; `null` where there is none. */
async function requestAdapter(gpu: GPU): Promise<GPUAdapter | null> {
  for (let request = 0; request < REQUESTS; request++) {
    if (request > 0) await new Promise((resolve) => setTimeout(resolve, 100));
    const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
    if (adapter) return adapter;
  }
  return null;
}

export interface WebGpuOptions {
  /** Fill new memory with NaN bits. */
  readonly poison?: boolean | undefined;
  /** Dawn's toggles, for the record. */
  readonly toggles?: readonly string[];
  /** What `gpu` is, for the record. */
  readonly implementation?: string;
  /** Tries out the matrices that the adapter offers; without it none are used. */
  readonly probe?: MatrixProbe | undefined;
  /** How answers of `gpu` are waited for; by `await` alone where absent. */
  readonly wait?: Wait;
}

/**
 * Opens the best adapter of `gpu` with all the limits that it has.
 * @throws DeviceError where there is no adapter, or it gives no device.
 */
export async function openWebGpu(
  gpu: GPU,
  { poison = false, toggles = [], implementation = "", probe, wait = (answer) => answer }: WebGpuOptions = {},
): Promise<Device> {
  const adapter = await requestAdapter(gpu);
  if (!adapter) {
    throw new DeviceError("no WebGPU adapter answers; `activemixup doctor` tells why and how to get one");
  }
  const requiredLimits = Object.fromEntries(RAISED_LIMITS.map((limit) => [limit, adapter.limits[limit]]));
  const { matrix, why } = await findMatrices(adapter, probe);
  const usedFeatures = [...USED_FEATURES, ...(matrix ? [MATRIX_FEATURE as GPUFeatureName] : [])];
  const requiredFeatures = usedFeatures.filter((feature) => adapter.features.has(feature));
  const device = await adapter.requestDevice({ requiredLimits, requiredFeatures }).catch((error: unknown) => {
    throw new DeviceError(`${describeAdapter(adapter.info)}: no device: ${(error as Error).message}`);
  });
  const software = isSoftware(adapter.info);
  const info: DeviceInfo = {
    kind: "webgpu",
    // Browsers say no more than the vendor and the architecture.
    adapter: adapter.info.device || adapter.info.description || `${adapter.info.vendor} ${adapter.info.architecture}`,
    vendor: adapter.info.vendor,
    driver: adapter.info.description,
    implementation,
    software,
    toggles,
    subgroupMatrix: `${matrix ? formatMatrix(matrix) : "none"}, as ${why}`,
  };
  const subgroups = device.features.has("subgroups");
  const capabilities: Capabilities = {
    software,
    subgroups,
    subgroupSize: subgroups ? fixedSubgroupSize(adapter.info) : 0,
    f16: device.features.has("shader-f16"),
    workgroupMemory: device.limits.maxComputeWorkgroupStorageSize,
    workgroupInvocations: device.limits.maxComputeInvocationsPerWorkgroup,
    bufferBytes: device.limits.maxBufferSize,
    bindingBytes: Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize),
    offsetAlignment: device.limits.minStorageBufferOffsetAlignment,
    tuned: {},
    subgroupMatrix: matrix,
  };
  return new WebGpuDevice(gpu, device, info, capabilities, poison, wait);
}
