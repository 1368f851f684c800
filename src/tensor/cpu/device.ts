import { DeviceError, DisposedError } from "../../errors.js";
import type { Capabilities, Device, DeviceInfo, DeviceStats, Prepared, Storage } from "../device.js";
import {
  elementsPerWord,
  hostView,
  setValues,
  valuesOf,
  type DType,
  type HostArrays,
  type ValueArrays,
} from "../dtype.js";
import type { Launch } from "../launch.js";
import { StatsCounter } from "../stats.js";
import type { Tensor } from "../tensor.js";

class CpuStorage implements Storage {
  readonly memory: ArrayBuffer;

  constructor(readonly bytes: number) {
    this.memory = new ArrayBuffer(bytes);
  }
}

/**
 * The elements of a tensor of the CPU device, and of no other, in host memory, not copied, of `f16` their bits: what
 * the CPU references read and write.
 * @throws DisposedError where the tensor has no memory.
 */
export function hostArray<D extends DType>(tensor: Tensor<D>): HostArrays[D] {
  return hostView(tensor.dtype, (tensor.storage as CpuStorage).memory, tensor.storageOffset, tensor.size);
}

/** Runs the CPU references, one after the other, on the calling thread. */
export class CpuDevice implements Device {
  readonly info: DeviceInfo = {
    kind: "cpu",
    adapter: "CPU reference",
    vendor: "",
    driver: "",
    implementation: "",
    software: true,
    toggles: [],
    subgroupMatrix: "none, as it is no GPU",
  };

  readonly capabilities: Capabilities = {
    software: true,
    subgroups: false,
    subgroupSize: 0,
    f16: false,
    workgroupMemory: 0,
    workgroupInvocations: 1,
    bufferBytes: Number.MAX_SAFE_INTEGER,
    bindingBytes: Number.MAX_SAFE_INTEGER,
    offsetAlignment: 4,
    tuned: {},
  };

  private readonly counter = new StatsCounter();
  private destroyed = false;

  /** @param poison fill new memory with NaN bits, to show kernels that read what nobody wrote */
  constructor(private readonly poison = false) {}

  allocate(bytes: number, name: string): Storage {
    this.expectAlive(`allocate "${name}"`);
    const storage = this.makeStorage(bytes, name);
    if (this.poison) new Uint8Array(storage.memory).fill(0xff);
    this.counter.allocated(bytes);
    return storage;
  }

  private makeStorage(bytes: number, name: string): CpuStorage {
    try {
      return new CpuStorage(bytes);
    } catch {
      throw new DeviceError(`"${name}" needs ${bytes} bytes, which this process cannot have; use a smaller batch`);
    }
  }

  free(storage: Storage): void {
    if (!this.destroyed) this.counter.freed(storage.bytes);
  }

  write(tensor: Tensor, data: ArrayLike<number>): void {
    this.expectAlive(`write "${tensor.name}"`);
    const { memory } = tensor.storage as CpuStorage;
    const perWord = elementsPerWord(tensor.dtype);
    const written = Math.ceil(data.length / perWord) * perWord;
    const values = hostView(tensor.dtype, memory, tensor.storageOffset, written);
    setValues(tensor.dtype, values, data);
    values.fill(0, data.length);
  }

  async read<D extends DType>(tensor: Tensor<D>): Promise<ValueArrays[D]> {
    this.expectAlive(`read "${tensor.name}"`);
    this.counter.reads++;
    return valuesOf(tensor.dtype, hostArray(tensor).slice() as HostArrays[D]);
  }

  async prepare(launches: readonly Launch[]): Promise<Prepared> {
    this.expectAlive("record");
    return {
      run: (times) => {
        this.expectAlive("run");
        this.counter.submits++;
        this.counter.dispatches += times * launches.length;
        for (let time = 0; time < times; time++) for (const launch of launches) launch.reference();
      },
      dispose: () => undefined,
    };
  }

  /** Lets timers and signals run: the work itself was done by `run`. */
  async finish(): Promise<void> {
    this.expectAlive("finish");
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.expectAlive("finish");
  }

  /** Does nothing: each kernel has one reference. */
  useTuned(): void {
    this.expectAlive("useTuned");
  }

  stats(): DeviceStats {
    return this.counter.snapshot();
  }

  destroy(): void {
    this.destroyed = true;
  }

  private expectAlive(action: string): void {
    if (this.destroyed) throw new DisposedError(`${action}: the CPU device was destroyed; open another`);
  }
}
