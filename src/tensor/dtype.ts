/**
 * Element types. `u8` holds images: on a WebGPU device four values share one 32-bit word, the first in the lowest
 * bits, and a tensor's memory is padded to whole words.
 */
export type DType = "f32" | "u32" | "i32" | "u8";

/** The typed array that holds elements of each type on the host. */
export interface HostArrays {
  f32: Float32Array<ArrayBuffer>;
  u32: Uint32Array<ArrayBuffer>;
  i32: Int32Array<ArrayBuffer>;
  u8: Uint8Array<ArrayBuffer>;
}

export type HostArray = HostArrays[DType];

const constructors = { f32: Float32Array, u32: Uint32Array, i32: Int32Array, u8: Uint8Array };

/** Bytes of one element. */
export function bytesPerElement(dtype: DType): number {
  return constructors[dtype].BYTES_PER_ELEMENT;
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
