import { floatToHalf, halfToFloat } from "./half.js";

/**
 * Element types. `u8` holds images: on a WebGPU device four values share one 32-bit word, the first in the lowest
 * bits, and a tensor's memory is padded to whole words. `f16` holds numbers of 16 bits, two to a word likewise.
 */
export type DType = "f32" | "f16" | "u32" | "i32" | "u8";

/** The typed array that holds elements of each type in memory; of `f16` it holds the bits. */
export interface HostArrays {
  f32: Float32Array<ArrayBuffer>;
  f16: Uint16Array<ArrayBuffer>;
  u32: Uint32Array<ArrayBuffer>;
  i32: Int32Array<ArrayBuffer>;
  u8: Uint8Array<ArrayBuffer>;
}

/** A typed array that holds elements in memory, of any type. */
export type HostArray = HostArrays[DType];

/** The typed array that holds the values of each type as numbers: of `f16` each is exact in f32. */
export interface ValueArrays extends Omit<HostArrays, "f16"> {
  f16: Float32Array<ArrayBuffer>;
}

const constructors = { f32: Float32Array, f16: Uint16Array, u32: Uint32Array, i32: Int32Array, u8: Uint8Array };

/** Bytes of one element. */
export function bytesPerElement(dtype: DType): number {
  return constructors[dtype].BYTES_PER_ELEMENT;
}

/** Elements in one 32-bit word. */
export function elementsPerWord(dtype: DType): number {
  return 4 / bytesPerElement(dtype);
}

/** Bytes of `size` elements, padded to whole 32-bit words. */
export function storageBytes(dtype: DType, size: number): number {
  return Math.ceil((size * bytesPerElement(dtype)) / 4) * 4;
}

/** A host array of `dtype` over `length` elements of `buffer`, from `byteOffset` on; nothing is copied. */
export function hostView<D extends DType>(
  dtype: D,
  buffer: ArrayBuffer,
  byteOffset: number,
  length: number,
): HostArrays[D] {
  return new constructors[dtype](buffer, byteOffset, length) as HostArrays[D];
}

/** Puts values into a host array of `dtype`, from its first element on: numbers, which `f16` rounds to the nearest. */
export function setValues<D extends DType>(dtype: D, target: HostArrays[D], values: ArrayLike<number>): void {
  if (dtype !== "f16") target.set(values);
  else for (let index = 0; index < values.length; index++) target[index] = floatToHalf(values[index]);
}

/** The values of a host array as numbers; but for `f16` it is the array itself. */
export function valuesOf<D extends DType>(dtype: D, array: HostArrays[D]): ValueArrays[D] {
  return (dtype === "f16" ? Float32Array.from(array, halfToFloat) : array) as ValueArrays[D];
}
