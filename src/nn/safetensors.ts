/**
 * Safetensors, the format of weights: the length of the header as a little-endian u64, the header in JSON, then the
 * tensors' bytes. The header maps each name to `dtype`, `shape` and `data_offsets` (begin and end, counted from the end
 * of the header), and `__metadata__` to an object of strings. The tensors fill the data without overlap or hole.
 */
import { InputError, ShapeError } from "../errors.js";
import { formatShape, halfToFloat, sizeOf, type Shape } from "../tensor/index.js";
import { duplicateKey } from "./duplicate-keys.js";

/** Element types that are read; all become f32. */
export type SafetensorsDType = "F32" | "F16" | "BF16" | "F64";

/** A tensor of a safetensors file, as f32. */
export interface SafetensorsTensor {
  /** Element type in the file. */
  dtype: SafetensorsDType;
  /** Outermost first; `[]` for a scalar. */
  shape: Shape;
  data: Float32Array<ArrayBuffer>;
}

/** What a safetensors file holds. */
export interface SafetensorsFile {
  /** By name, in the order of their bytes. */
  tensors: Map<string, SafetensorsTensor>;
  metadata: Record<string, string>;
}

/** The longest header that safetensors readers take, in bytes. */
const MAX_HEADER = 100_000_000;
const LENGTH_BYTES = 8;
const METADATA = "__metadata__";
const elementBytes = new Map<unknown, number>([
  ["F32", 4],
  ["F16", 2],
  ["BF16", 2],
  ["F64", 8],
]);

/**
 * A safetensors file of tensors of f32 and of 8-bit numbers (those are not read back), in the order of `tensors`. The
 * data begins at a multiple of 8 bytes.
 * @throws ShapeError where a tensor's data does not have the size of its shape
 * @throws InputError for a tensor called `__metadata__`, or a header longer than readers take
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, { shape: Shape; data: Float32Array | Uint8Array }>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const entries: string[] = [];
  if (Object.keys(metadata).length > 0) entries.push(`"${METADATA}":${JSON.stringify(metadata)}`);
  let dataBytes = 0;
  for (const [name, { shape, data }] of tensors) {
    if (name === METADATA) {
      throw new InputError(`safetensors: a tensor is called ${METADATA}, expected any other name; rename it`);
    }
    if (sizeOf(shape) !== data.length) {
      throw new ShapeError(
        `safetensors: tensor ${quote(name)} of shape ${formatShape(shape)} has ${data.length} elements; expected ${sizeOf(shape)}`,
      );
    }
    const end = dataBytes + data.byteLength;
    // Entry by entry: an object would move names such as "0" to the front.
    const dtype = data instanceof Float32Array ? "F32" : "U8";
    entries.push(
      `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${dataBytes},${end}]}`,
    );
    dataBytes = end;
  }
  const text = new TextEncoder().encode(`{${entries.join(",")}}`);
  const headerBytes = Math.ceil(text.length / 8) * 8;
  if (headerBytes > MAX_HEADER) {
    throw new InputError(
      `safetensors: a header of ${headerBytes} bytes, expected at most ${MAX_HEADER}; shorten the metadata`,
    );
  }
  const bytes = new Uint8Array(LENGTH_BYTES + headerBytes + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.fill(0x20, LENGTH_BYTES, LENGTH_BYTES + headerBytes);
  bytes.set(text, LENGTH_BYTES);
  let at = LENGTH_BYTES + headerBytes;
  for (const { data } of tensors.values()) {
    // Typed arrays are little-endian, as the format is, on every machine with WebGPU.
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** PyTorch counts batches in each batch norm, in whole numbers that change nothing of what a network computes. */
const isBatchCount = (tensor: string) => /(^|\.)num_batches_tracked$/.test(tensor);

/**
 * Reads a safetensors file with tensors of F32, F16, BF16 or F64. The data is copied and converted to f32; nothing is
 * allocated for it before the whole header has been checked against the bytes there are. PyTorch's
 * `num_batches_tracked` are left out.
 * @param name the file, for messages
 * @throws InputError where the file is not exactly what its header says, or has tensors of other types
 */
export function decodeSafetensors(bytes: Uint8Array, name: string): SafetensorsFile {
  const { header, dataStart } = readHeader(bytes, name);
  const dataBytes = bytes.length - dataStart;
  const metadata = checkMetadata(header[METADATA], name);
  const entries = Object.entries(header)
    .filter(([tensor]) => tensor !== METADATA)
    .map(([tensor, entry]) => checkEntry(tensor, entry, dataBytes, name))
    .sort((a, b) => a.begin - b.begin);
  checkCover(entries, dataBytes, name);
  const tensors = new Map<string, SafetensorsTensor>();
  for (const { tensor, dtype, shape, begin, end } of entries) {
    if (dtype === "I64") continue;
    // Copied: a view need not begin at a multiple of the element's size, and slice() of a Buffer is a view.
    const data = toFloats(dtype, new Uint8Array(bytes.subarray(dataStart + begin, dataStart + end)).buffer);
    if (dtype === "F64") checkRange(data, bytes, dataStart + begin, tensor, name);
    tensors.set(tensor, { dtype, shape, data });
  }
  return { tensors, metadata };
}

/** A name from the file in quotes, on one line, and not too long. */
function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readHeader(bytes: Uint8Array, name: string): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.length < LENGTH_BYTES) {
    throw new InputError(
      `${name}: ${bytes.length} bytes, expected a safetensors file, which begins with the ${LENGTH_BYTES} bytes of its header's length; the file is cut short, get it again`,
    );
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER)) {
    throw new InputError(
      `${name}: says that its header has ${length} bytes, expected at most ${MAX_HEADER}; it is no safetensors file or is damaged, name another`,
    );
  }
  const dataStart = LENGTH_BYTES + Number(length);
  if (dataStart > bytes.length) {
    throw new InputError(
      `${name}: ${bytes.length} bytes, expected at least ${dataStart} for its header; the file is cut short or no safetensors file, get it again`,
    );
  }
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(LENGTH_BYTES, dataStart));
    header = JSON.parse(text);
  } catch {
    // The reason is left out: it quotes the file, line breaks and all.
    throw new InputError(
      `${name}: its header of ${length} bytes is not JSON, expected that of a safetensors file; the file is damaged or of another format, get it again`,
    );
  }
  if (!isObject(header)) {
    throw new InputError(
      `${name}: its header is no JSON object, expected one of tensors by name; write the file again`,
    );
  }
  const twice = duplicateKey(text);
  if (twice !== undefined) {
    throw new InputError(
      `${name}: its header has ${quote(twice)} twice in one object, expected once; write the file again`,
    );
  }
  return { header, dataStart };
}

function checkMetadata(metadata: unknown = {}, name: string): Record<string, string> {
  if (!isObject(metadata)) {
    throw new InputError(`${name}: ${METADATA} is no JSON object, expected one of strings; write the file again`);
  }
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== "string") {
      throw new InputError(
        `${name}: ${METADATA} has ${quote(key)} of type ${typeof value}, expected a string; write the file again with strings alone`,
      );
    }
  }
  return metadata as Record<string, string>;
}

interface Entry {
  tensor: string;
  /** I64 of counts of batches alone. */
  dtype: SafetensorsDType | "I64";
  shape: Shape;
  /** First byte, from the start of the data. */
  begin: number;
  /** Byte behind the last. */
  end: number;
}

function isSizes(value: unknown, least: number): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= least);
}

function checkEntry(tensor: string, entry: unknown, dataBytes: number, name: string): Entry {
  const fail = (fault: string): never => {
    throw new InputError(`${name}: tensor ${quote(tensor)} ${fault}`);
  };
  if (!isObject(entry)) return fail("is no JSON object, expected dtype, shape and data_offsets; write the file again");
  const { dtype, shape, data_offsets: offsets } = entry;
  const width = dtype === "I64" && isBatchCount(tensor) ? 8 : elementBytes.get(dtype);
  if (width === undefined) {
    const found = typeof dtype === "string" ? `is of type ${quote(dtype)}` : "has no dtype";
    return fail(
      `${found}, expected one of ${[...elementBytes.keys()].join(", ")}; convert the tensor or leave it out of the file`,
    );
  }
  if (!isSizes(shape, 1)) {
    return fail("has no shape of whole numbers from 1 up, expected for example [10, 84]; write the file again");
  }
  if (!isSizes(offsets, 0) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    return fail("has no data_offsets of two ascending whole numbers, expected [begin, end]; write the file again");
  }
  const [begin, end] = offsets;
  if (end > dataBytes) {
    return fail(
      `ends at byte ${end} of the data, expected at most ${dataBytes}, all there are; the file is cut short or damaged, get it again`,
    );
  }
  // A product beyond the safe integers is inexact, but far beyond any file too.
  const expected = shape.reduce((size, length) => size * length, width);
  if (end - begin !== expected) {
    const sizes = shape.length > 8 ? `of ${shape.length} axes` : formatShape(shape);
    return fail(
      `has ${end - begin} bytes, expected ${expected} for shape ${sizes} of ${dtype}; the header is damaged, get the file again`,
    );
  }
  return { tensor, dtype: dtype as Entry["dtype"], shape, begin, end };
}

/** Requires `entries`, in order, to fill the data. */
function checkCover(entries: readonly Entry[], dataBytes: number, name: string): void {
  let at = 0;
  for (const { tensor, begin, end } of entries) {
    if (begin !== at) {
      const fault = begin < at ? "overlaps the tensor before it" : "leaves a hole before it";
      throw new InputError(
        `${name}: tensor ${quote(tensor)} begins at byte ${begin} of the data and ${fault}, expected byte ${at}; the header is damaged, get the file again`,
      );
    }
    at = end;
  }
  if (at !== dataBytes) {
    throw new InputError(
      `${name}: ${dataBytes} bytes of data, expected the ${at} of its tensors; the file is longer than its header says, get it again`,
    );
  }
}

function toFloats(dtype: SafetensorsDType, buffer: ArrayBuffer): Float32Array<ArrayBuffer> {
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer);
    case "F64":
      return Float32Array.from(new Float64Array(buffer));
    case "F16":
      return Float32Array.from(new Uint16Array(buffer), halfToFloat);
    case "BF16":
      // The upper half of an f32.
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);
  }
}

/** Requires that no finite f64 has become an infinite f32. */
function checkRange(data: Float32Array, bytes: Uint8Array, offset: number, tensor: string, name: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
  for (let index = 0; index < data.length; index++) {
    const value = view.getFloat64(index * 8, true);
    if (Number.isFinite(value) && !Number.isFinite(data[index])) {
      throw new InputError(
        `${name}: tensor ${quote(tensor)} holds ${value}, expected numbers within the range of f32; convert the tensor to F32`,
      );
    }
  }
}
