import { ActiveMixupError, DeviceError, DisposedError } from "../errors.js";
import type { Device, Prepared, Storage } from "./device.js";
import { storageBytes, type DType } from "./dtype.js";
import type { Launch } from "./launch.js";
import { mostAlive, planMemory, type Lifetime } from "./plan-memory.js";
import { Pace } from "./pace.js";
import { sizeOf, type Shape } from "./shape.js";
import { Block, Tensor } from "./tensor.js";

/**
 * Requires a number of runs.
 * @throws RangeError where it is no whole number from 0 up.
 */
export function expectTimes(operation: string, times: number): void {
  if (!Number.isSafeInteger(times) || times < 0) {
    throw new RangeError(`${operation}: ${times} times; expected a whole number from 0 up`);
  }
}

type Placed = readonly [Block, Lifetime];

/** Collects launches while a step is recorded. Kernels take it as their first argument. */
export class Recorder {
  readonly launches: Launch[] = [];
  private finished = false;

  constructor(readonly device: Device) {}

  /** Takes no more launches: they would be in no recording. */
  finish(): void {
    this.finished = true;
  }

  /**
   * An intermediate tensor: memory that is planned when the recording is finished, shared with others whose lifetimes
   * do not meet, and arbitrary in contents until a launch writes it.
   * @throws ShapeError where an axis is no whole number from 1 up.
   */
  temporary<D extends DType = "f32">(shape: Shape, name: string, dtype: D = "f32" as D): Tensor<D> {
    const block = new Block(this.device, storageBytes(dtype, sizeOf(shape)), name);
    block.owner = "recording";
    block.kept = false;
    return new Tensor(block, shape, dtype);
  }

  /**
   * Keeps an intermediate's values until the recording runs again, so that they can be read. Returns the tensor.
   * @throws ActiveMixupError where its memory is planned already, and others use it too: the recording is finished, or
   * the intermediate is another's.
   */
  keep<T extends Tensor>(tensor: T): T {
    const { block, name } = tensor;
    if (!block.kept && block.state !== "planned") {
      throw new ActiveMixupError(
        "recording",
        `keep: "${name}" is an intermediate of a recording that is finished, whose memory others use too; ` +
          `keep it within the function that record() calls to make it`,
      );
    }
    block.kept = true;
    return tensor;
  }

  /**
   * Adds a launch, to run after those added before.
   * @throws DeviceError where a tensor lives on another device, or the launch reads or writes twice what it writes;
   * ActiveMixupError where the recording is finished.
   */
  add(launch: Launch): void {
    if (this.finished) {
      throw new ActiveMixupError(
        "recording",
        `${launch.kernel}: launched after its recording was finished; launch within the function that record() calls`,
      );
    }
    for (const tensor of [...launch.reads, ...launch.writes]) {
      if (tensor.device !== this.device) {
        throw new DeviceError(
          `${launch.kernel}: tensor "${tensor.name}" lives on another device (${tensor.device.info.adapter}) ` +
            `than the recording (${this.device.info.adapter}); copy it over first`,
        );
      }
    }
    expectNoAliases(launch);
    this.launches.push(launch);
  }
}

/** WebGPU's rule, kept on every device: what a launch writes, it may neither read nor write through another binding. */
function expectNoAliases({ kernel, reads, writes }: Launch): void {
  for (const [index, written] of writes.entries()) {
    const read = reads.find(({ block }) => block === written.block);
    if (read) {
      throw new DeviceError(
        `${kernel}: "${read.name}" shares a buffer with the output "${written.name}"; ` +
          `a kernel cannot read and write one buffer through two bindings: give it an output of its own`,
      );
    }
    const twin = writes.slice(index + 1).find((other) => overlap(written, other));
    if (twin) throw new DeviceError(`${kernel}: its outputs "${written.name}" and "${twin.name}" overlap`);
  }
}

function overlap(a: Tensor, b: Tensor): boolean {
  return a.block === b.block && a.byteOffset < b.byteOffset + b.bytes && b.byteOffset < a.byteOffset + a.bytes;
}

/** A recorded step: runs again and again without shape checks, allocation or compilation. */
export class Recording<T> {
  /** How fast it runs, as far as {@link replay} has seen. */
  readonly pace = new Pace();
  private disposed = false;
  /** Memory that the recording uses and does not own. */
  private readonly lasting: readonly Block[];

  constructor(
    /** What the recorded function returned. */
    readonly result: T,
    readonly device: Device,
    readonly launches: readonly Launch[],
    private readonly prepared: Prepared,
    private readonly storages: readonly Storage[],
    private readonly blocks: readonly Block[],
    /** The most bytes of intermediates that are in use at one launch: no plan takes less than this. */
    readonly leastBytes: number,
  ) {
    const used = launches.flatMap(({ reads, writes }) => [...reads, ...writes]).map(({ block }) => block);
    const own = new Set(blocks);
    this.lasting = [...new Set(used)].filter((block) => !own.has(block));
  }

  /** Bytes of intermediate memory. */
  get temporaryBytes(): number {
    return this.storages.reduce((sum, storage) => sum + storage.bytes, 0);
  }

  /** Bytes that the intermediates would take if none shared memory. */
  get unsharedBytes(): number {
    return this.blocks.reduce((sum, block) => sum + block.bytes, 0);
  }

  /**
   * Queues `times` runs and returns without waiting. For long work use {@link replay}, which paces itself.
   * @param times whole number from 0 up
   * @throws RangeError where `times` is none; DisposedError after `dispose()`, or where a tensor that the recording
   * uses or its device was disposed of; DeviceError where the device is lost.
   */
  run(times = 1): void {
    expectTimes("recording.run", times);
    if (this.disposed) throw new DisposedError("recording: run after dispose(); keep it until its last run");
    for (const { state, name } of this.lasting) {
      if (state === "live") continue;
      throw new DisposedError(`recording: run after tensor "${name}", which it uses, was disposed; keep both together`);
    }
    this.prepared.run(times);
  }

  /** Frees the intermediate memory. A second call does nothing. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.prepared.dispose();
    for (const block of this.blocks) block.lose();
    for (const storage of this.storages) this.device.free(storage);
  }
}

/**
 * Records what `body` launches, plans its intermediate memory, compiles and binds. Nothing has run when it returns.
 * Where a tuned variant fails, `body` is called again, without it.
 * @param body launches all that is to be recorded before it returns: it cannot wait for anything
 * @throws what the kernels throw on wrong shapes; DeviceError where a kernel does not compile; ActiveMixupError where
 * `body` returns a promise.
 */
export async function record<T>(device: Device, body: (recorder: Recorder) => T): Promise<Recording<T>> {
  for (;;) {
    const { tuned } = device.capabilities;
    try {
      return await recordOnce(device, body);
    } catch (error) {
      // Each attempt but the last has lost the device a tuned variant, so that there is a last one.
      if (!(error instanceof DeviceError) || device.capabilities.tuned === tuned) throw error;
    }
  }
}

async function recordOnce<T>(device: Device, body: (recorder: Recorder) => T): Promise<Recording<T>> {
  const recorder = new Recorder(device);
  const result = body(recorder);
  recorder.finish();
  if (isThenable(result)) {
    result.then(undefined, () => undefined);
    throw new ActiveMixupError(
      "recording",
      "record: its function returned a promise; what it launches later would not be recorded: wait before record()",
    );
  }
  const placed = intermediateBlocks(recorder);
  const blocks = placed.map(([block]) => block);
  const lifetimes = placed.map(([, lifetime]) => lifetime);
  const plan = planMemory(lifetimes, device.capabilities.offsetAlignment);
  const storages: Storage[] = [];
  try {
    for (const [index, bytes] of plan.storages.entries()) {
      const [largest] = blocks
        .filter((_, block) => plan.places[block].storage === index)
        .sort((one, other) => other.bytes - one.bytes);
      storages.push(device.allocate(bytes, `${largest.name}, with what shares its memory`));
    }
    for (const [index, { storage, offset }] of plan.places.entries()) blocks[index].place(storages[storage], offset);
    const prepared = await device.prepare(recorder.launches);
    return new Recording(result, device, recorder.launches, prepared, storages, blocks, mostAlive(lifetimes));
  } catch (error) {
    for (const block of blocks) block.lose();
    for (const storage of storages) device.free(storage);
    throw error;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/**
 * Records `body`, queues one run, and frees what was intermediate. For work that is done once, and for tests.
 * @throws what {@link record} and {@link Recording.run} throw.
 */
export async function runOnce<T>(device: Device, body: (recorder: Recorder) => T): Promise<T> {
  const recording = await record(device, body);
  try {
    recording.run();
    return recording.result;
  } finally {
    recording.dispose();
  }
}

/** The intermediates with their lifetimes, in order of first use. */
function intermediateBlocks({ launches }: Recorder): Placed[] {
  const lifetimes = new Map<Block, { bytes: number; first: number; last: number; apart: Set<number> }>();
  for (const [index, { kernel, reads, writes }] of launches.entries()) {
    for (const { block, name } of [...reads, ...writes]) {
      if (block.state !== "live" || block.kept) continue;
      throw new ActiveMixupError(
        "recording",
        `${kernel}: "${name}" is an intermediate of another recording, which may use its memory again; ` +
          `recorder.keep() it there`,
      );
    }
    for (const { block, name } of reads) {
      if (block.state !== "planned" || lifetimes.has(block)) continue;
      throw new ActiveMixupError("recording", `${kernel}: reads "${name}" before any kernel has written it`);
    }
    for (const { block } of [...reads, ...writes]) {
      if (block.state !== "planned") continue;
      const lifetime = lifetimes.get(block);
      const last = block.kept ? launches.length : index;
      if (lifetime) lifetime.last = last;
      else lifetimes.set(block, { bytes: block.bytes, first: index, last, apart: new Set() });
    }
  }
  const placed = [...lifetimes];
  const indices = new Map(placed.map(([block], index) => [block, index]));
  const separate = (blocks: readonly Block[], others: readonly Block[]) => {
    for (const block of blocks) {
      for (const other of others) {
        const index = indices.get(other);
        if (block !== other && index !== undefined) lifetimes.get(block)?.apart.add(index);
      }
    }
  };
  const blocksOf = (tensors: readonly Tensor[]) => tensors.map(({ block }) => block);
  for (const { reads, writes } of launches) separate(blocksOf(writes), blocksOf(reads));
  // What is kept may meet in a launch of another recording.
  const kept = placed.map(([block]) => block).filter((block) => block.kept);
  separate(kept, kept);
  return placed;
}
