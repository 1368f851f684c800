/** What a value is: shapes, element types, devices, tensors, random numbers, recording. */
export { ActiveMixupError, DeviceError, DisposedError, DTypeError, InputError, ShapeError } from "../errors.js";
export { CpuDevice, hostArray } from "./cpu/device.js";
export type { Capabilities, Device, DeviceInfo, DeviceStats, Prepared, Storage, TunedVariants } from "./device.js";
export type { DType, HostArray, HostArrays, ValueArrays } from "./dtype.js";
export { floatToHalf, halfToFloat } from "./half.js";
export type { FloatParam, GpuPlan, Grid, Launch, Program } from "./launch.js";
export { openDevice, type DeviceChoice, type OpenOptions, type WebGpuEntry } from "./open.js";
export type { Pace } from "./pace.js";
export type { Problem } from "./problem.js";
export { mostAlive, planMemory, type Lifetime, type MemoryPlan, type Place } from "./plan-memory.js";
export { Philox, philox4x32, RandomStream, unitFloat, type Words4 } from "./random.js";
export { record, Recorder, Recording, runOnce } from "./recording.js";
export { replay, type ReplayOptions } from "./replay.js";
export { expectRank, expectShape, formatShape, sameShape, sizeOf, type Shape } from "./shape.js";
export type { MatrixDialect, SubgroupMatrix } from "./subgroup-matrix/index.js";
export {
  createTensor,
  expectDType,
  readTensor,
  reshape,
  slice,
  Tensor,
  writeTensor,
  type Block,
  type TensorOptions,
} from "./tensor.js";
