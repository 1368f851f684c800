import { DisposedError, DTypeError, ShapeError } from "../errors.js";
import type { Device, Storage } from "./device.js";
import { bytesPerElement, elementsPerWord, storageBytes, type DType, type ValueArrays } from "./dtype.js";
import { formatShape, sizeOf, type Shape } from "./shape.js";

/**
 * A piece of device memory that tensors look at. `storage` is set at once for lasting tensors, and when a recording is
 * finished for its intermediate ones (several of which may share one storage, side by side or one after the other).
 */
export class Block {
  storage: Storage | undefined;
  /** Bytes from the start of the storage. */
  offset = 0;
  state: "planned" | "live" | "disposed" = "planned";
  /** Whose memory it is: a tensor's own, or a recording's, where only what was kept outlasts the next launches. */
  owner: "tensor" | "recording" = "tensor";
  kept = true;

  constructor(
    readonly device: Device,
    readonly bytes: number,
    readonly name: string,
  ) {}

  place(storage: Storage, offset = 0): void {
    this.storage = storage;
    this.offset = offset;
    this.state = "live";
  }

  /** Takes note that the storage was freed. */
  lose(): void {
    this.storage = undefined;
    this.state = "disposed";
  }
}

/**
 * An array of numbers in a device's memory: where it is, its shape and its element type. It has no operations: those
 * are the kernels. Axes are contiguous, the last one fastest.
 */
export class Tensor<D extends DType = DType> {
  readonly shape: Shape;

  constructor(
    readonly block: Block,
    shape: Shape,
    readonly dtype: D,
    /** Bytes from the start of the block. */
    readonly byteOffset = 0,
    readonly name = block.name,
  ) {
    // The caller may change its own.
    this.shape = [...shape];
  }

  get device(): Device {
    return this.block.device;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Bytes of memory, padded to whole 32-bit words. */
  get bytes(): number {
    return storageBytes(this.dtype, this.size);
  }

  /**
   * The memory behind it.
   * @throws DisposedError after `dispose()`, or before the recording that makes it is finished.
   */
  get storage(): Storage {
    if (this.block.state === "live") return this.block.storage!;
    const why =
      this.block.state === "disposed"
        ? "was disposed; keep it until its last use"
        : "is an intermediate that no kernel writes, or of a recording that is not finished; await record() first";
    throw new DisposedError(`tensor "${this.name}" ${formatShape(this.shape)} ${why}`);
  }

  /** Bytes from the start of {@link storage}. */
  get storageOffset(): number {
    return this.block.offset + this.byteOffset;
  }

  /**
   * Frees the memory, with that of every view of it. A second call does nothing.
   * @throws DisposedError for an intermediate of a recording, which frees its memory itself.
   */
  dispose(): void {
    if (this.block.owner === "recording") {
      throw new DisposedError(
        `tensor "${this.name}" ${formatShape(this.shape)} is an intermediate; dispose of its recording instead`,
      );
    }
    if (this.block.state !== "live") return;
    this.block.device.free(this.block.storage!);
    this.block.lose();
  }
}

/** What {@link createTensor} makes. */
export interface TensorOptions<D extends DType> {
  /** `f32` where absent. */
  dtype?: D;
  /** Shown in errors and in the device's debugging tools. */
  name?: string;
  /** Values to start with, as {@link writeTensor} takes them; zeros where absent, or where they end before the tensor. */
  data?: ArrayLike<number>;
}

/**
 * A lasting tensor of the device, zero or filled with `data`; the caller disposes of it.
 * @throws ShapeError where an axis is no whole number from 1 up, or `data` has more elements than the shape;
 * DeviceError where the device is lost, or has no buffer so large; DisposedError where it was destroyed.
 */
export function createTensor<D extends DType = "f32">(
  device: Device,
  shape: Shape,
  options: TensorOptions<D> = {},
): Tensor<D> {
  const dtype = options.dtype ?? ("f32" as D);
  const name = options.name ?? "tensor";
  const block = new Block(device, storageBytes(dtype, sizeOf(shape)), name);
  const tensor = new Tensor(block, shape, dtype);
  const { data = [] } = options;
  expectFits(tensor, data);
  block.place(device.allocate(block.bytes, name));
  device.write(tensor, data.length === tensor.size ? data : padded(data, tensor.size));
  return tensor;
}

/** Values with zeros behind them. */
function padded(data: ArrayLike<number>, size: number): ArrayLike<number> {
  // Zeros alone are the same in each element type, and take the least as bytes.
  const whole = data.length === 0 ? new Uint8Array(size) : new Float64Array(size);
  whole.set(data);
  return whole;
}

/**
 * The same values with other axes; nothing is copied.
 * @throws ShapeError where the number of elements differs.
 */
export function reshape<D extends DType>(tensor: Tensor<D>, shape: Shape): Tensor<D> {
  if (sizeOf(shape) !== tensor.size) {
    throw new ShapeError(
      `reshape: "${tensor.name}" is ${formatShape(tensor.shape)} with ${tensor.size} elements; ` +
        `${formatShape(shape)} has ${sizeOf(shape)}`,
    );
  }
  return new Tensor(tensor.block, shape, tensor.dtype, tensor.byteOffset, tensor.name);
}

/**
 * A part of `tensor`'s memory, `offset` elements from its start, with a shape of its own; nothing is copied. To be used
 * by a kernel, the offset in bytes has to be a multiple of `device.capabilities.offsetAlignment`.
 * @throws ShapeError where the part does not lie within the tensor, or does not start at a whole 32-bit word.
 */
export function slice<D extends DType>(tensor: Tensor<D>, offset: number, shape: Shape, name?: string): Tensor<D> {
  const end = offset + sizeOf(shape);
  if (!Number.isInteger(offset) || offset < 0 || end > tensor.size) {
    throw new ShapeError(`slice: elements ${offset} to ${end} of "${tensor.name}", which has ${tensor.size}`);
  }
  const byteOffset = tensor.byteOffset + offset * bytesPerElement(tensor.dtype);
  if (byteOffset % 4 !== 0) {
    throw new ShapeError(
      `slice: element ${offset} of "${tensor.name}" (${tensor.dtype}) is inside a 32-bit word; ` +
        `start at a multiple of ${elementsPerWord(tensor.dtype)}`,
    );
  }
  return new Tensor(tensor.block, shape, tensor.dtype, byteOffset, name ?? tensor.name);
}

/**
 * Copies `data` into the tensor, from its first element on. Earlier commands still see the old values, later ones the
 * new. The values are numbers: `f16` rounds them to the nearest that it holds, and what is above 65504 by half a step
 * or more becomes infinite. Whole 32-bit words are written: where `u8` or `f16` values end inside a word, the rest of
 * that word becomes 0, also where the tensor is a {@link slice} that ends there.
 * @throws ShapeError where `data` has more elements than the tensor; DisposedError after `dispose()`, or the device's
 * `destroy()`, and for an intermediate that was not kept: others use its memory too; DeviceError where the device is
 * lost.
 */
export function writeTensor(tensor: Tensor, data: ArrayLike<number>): void {
  expectFits(tensor, data);
  expectOwnMemory(tensor, "write to");
  tensor.device.write(tensor, data);
}

function expectFits(tensor: Tensor, data: ArrayLike<number>): void {
  if (data.length > tensor.size) {
    throw new ShapeError(
      `write: ${data.length} values into "${tensor.name}" ${formatShape(tensor.shape)}; it takes at most ${tensor.size}`,
    );
  }
}

/**
 * Waits for the device to finish what is queued and copies the tensor's values to the host, as numbers:
 * those of `f16` as a Float32Array, which holds each exactly.
 * @throws DisposedError after `dispose()`, or the device's `destroy()`, and for an intermediate that was not kept:
 * others use its memory too; DeviceError where the device is lost.
 */
export async function readTensor<D extends DType>(tensor: Tensor<D>): Promise<ValueArrays[D]> {
  expectOwnMemory(tensor, "read");
  return tensor.device.read(tensor);
}

function expectOwnMemory({ block, name, shape }: Tensor, use: string): void {
  if (block.kept) return;
  throw new DisposedError(
    `tensor "${name}" ${formatShape(shape)} is an intermediate whose memory others use too; ` +
      `recorder.keep() it to ${use} it`,
  );
}

/**
 * Requires an element type.
 * @throws DTypeError that names the operation and the tensor.
 */
export function expectDType<D extends DType>(
  operation: string,
  what: string,
  tensor: Tensor,
  dtype: D,
): asserts tensor is Tensor<D> {
  if (tensor.dtype !== dtype) {
    throw new DTypeError(`${operation}: ${what} ("${tensor.name}") holds ${tensor.dtype}; expected ${dtype}`);
  }
}
