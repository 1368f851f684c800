import { ActiveMixupError, DisposedError } from "../errors.js";
import type { Device, Prepared, Storage } from "./device.js";
import { storageBytes, type DType } from "./dtype.js";
import type { Launch } from "./launch.js";
import { planMemory } from "./plan-memory.js";
import { sizeOf, type Shape } from "./shape.js";
import { Block, Tensor } from "./tensor.js";

/** Collects launches while a step is recorded. Kernels take it as their first argument. */
export class Recorder {
  readonly launches: Launch[] = [];
  readonly kept = new Set<Block>();

  constructor(readonly device: Device) {}

  /**
   * An intermediate tensor: memory that is planned when the recording is finished, shared with others whose lifetimes
   * do not meet, and arbitrary in contents until a launch writes it.
   */
  temporary<D extends DType = "f32">(shape: Shape, name: string, dtype: D = "f32" as D): Tensor<D> {
    const block = new Block(this.device, storageBytes(dtype, sizeOf(shape)), name);
    return new Tensor(block, shape, dtype);
  }

  /** Keeps an intermediate's values until the recording runs again, so that they can be read. Returns the tensor. */
  keep<T extends Tensor>(tensor: T): T {
    this.kept.add(tensor.block);
    return tensor;
  }

  add(launch: Launch): void {
    for (const tensor of [...launch.reads, ...launch.writes]) {
      if (tensor.device !== this.device) {
        throw new ActiveMixupError(
          "device",
          `${launch.kernel}: tensor "${tensor.name}" lives on another device (${tensor.device.info.adapter}) ` +
            `than the recording (${this.device.info.adapter}); copy it over first`,
        );
      }
    }
    this.launches.push(launch);
  }
}

/** A recorded step: runs again and again without shape checks, allocation or compilation. */
export class Recording<T> {
  private disposed = false;

  constructor(
    /** What the recorded function returned. */
    readonly result: T,
    readonly device: Device,
    readonly launches: readonly Launch[],
    private readonly prepared: Prepared,
    private readonly storages: readonly Storage[],
    private readonly blocks: readonly Block[],
  ) {}

  /** Bytes of intermediate memory. */
  get temporaryBytes(): number {
    return this.storages.reduce((sum, storage) => sum + storage.bytes, 0);
  }

  /** Queues `times` runs and returns without waiting. For long work use {@link replay}, which paces itself. */
  run(times = 1): void {
    if (this.disposed) throw new DisposedError("recording: run after dispose()");
    this.prepared.run(times);
  }

  /** Frees the intermediate memory. A second call does nothing. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.prepared.dispose();
    for (const block of this.blocks) {
      block.storage = undefined;
      block.state = "disposed";
    }
    for (const storage of this.storages) this.device.free(storage);
  }
}

/**
 * Records what `body` launches, plans its intermediate memory, compiles and binds. Nothing has run when it returns.
 * @throws what the kernels throw on wrong shapes; DeviceError where a kernel does not compile.
 */
export async function record<T>(device: Device, body: (recorder: Recorder) => T): Promise<Recording<T>> {
  const recorder = new Recorder(device);
  const result = body(recorder);
  const blocks = [...intermediateBlocks(recorder)];
  const plan = planMemory(blocks.map(([block, lifetime]) => ({ bytes: block.bytes, ...lifetime })));
  const storages = plan.storages.map((bytes, index) => device.allocate(bytes, `intermediate ${index}`));
  for (const [index, [block]] of blocks.entries()) block.place(storages[plan.assignment[index]]);
  try {
    const prepared = await device.prepare(recorder.launches);
    return new Recording(
      result,
      device,
      recorder.launches,
      prepared,
      storages,
      blocks.map(([block]) => block),
    );
  } catch (error) {
    for (const storage of storages) device.free(storage);
    throw error;
  }
}

/** Records `body`, runs it once, and frees what was intermediate. For work that is done once, and for tests. */
export async function runOnce<T>(device: Device, body: (recorder: Recorder) => T): Promise<T> {
  const recording = await record(device, body);
  try {
    recording.run();
    return recording.result;
  } finally {
    recording.dispose();
  }
}

function intermediateBlocks(recorder: Recorder): Map<Block, { first: number; last: number }> {
  const lifetimes = new Map<Block, { first: number; last: number }>();
  for (const [index, launch] of recorder.launches.entries()) {
    for (const { block } of [...launch.reads, ...launch.writes]) {
      if (block.state !== "planned") continue;
      const lifetime = lifetimes.get(block);
      if (lifetime) lifetime.last = index;
      else lifetimes.set(block, { first: index, last: index });
    }
  }
  for (const block of recorder.kept) {
    const lifetime = lifetimes.get(block);
    if (lifetime) lifetime.last = recorder.launches.length;
  }
  return lifetimes;
}
