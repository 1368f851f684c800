/** Writes small ONNX models (onnx.proto of opset 17) byte by byte, for tests. */

/** A field of a protobuf message: a whole number, bytes, or a message. */
type Field = readonly [number: number, value: number | Uint8Array | string];

const TYPES = { float32: 1, uint8: 2, int64: 7, float16: 10 } as const;
export type ElementType = keyof typeof TYPES;

export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

export interface Value {
  readonly type: ElementType;
  /** Sizes; names of those that are free. */
  readonly shape: readonly (number | string)[];
}

export interface Graph {
  readonly nodes: readonly Node[];
  readonly weights: Readonly<Record<string, { shape: readonly number[]; values: readonly number[] }>>;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly outputs: Readonly<Record<string, Value>>;
}

/** The model's file. */
export function encodeModel({ nodes, weights, inputs, outputs }: Graph): Uint8Array {
  const graph = message([
    ...nodes.map((node): Field => [1, encodeNode(node)]),
    [2, "test"],
    ...Object.entries(weights).map(([name, { shape, values }]): Field => [
      5,
      message([
        ...shape.map((size): Field => [1, size]),
        [2, TYPES.float32],
        [8, name],
        [9, new Uint8Array(Float32Array.from(values).buffer)],
      ]),
    ]),
    ...Object.entries(inputs).map((value): Field => [11, encodeValue(value)]),
    ...Object.entries(outputs).map((value): Field => [12, encodeValue(value)]),
  ]);
  return message([
    [1, 8],
    [7, graph],
    [8, message([[2, 17]])],
  ]);
}

function encodeNode({ op, inputs, output, attributes = {} }: Node): Uint8Array {
  return message([
    ...inputs.map((name): Field => [1, name]),
    [2, output],
    [4, op],
    ...Object.entries(attributes).map(([name, value]): Field => [5, encodeAttribute(name, value)]),
  ]);
}

function encodeAttribute(name: string, value: number | readonly number[]): Uint8Array {
  if (typeof value === "number")
    return message([
      [1, name],
      [3, value],
      [20, 2],
    ]);
  return message([[1, name], ...value.map((one): Field => [8, one]), [20, 7]]);
}

function encodeValue([name, { type, shape }]: readonly [string, Value]): Uint8Array {
  const dimensions = shape.map((size): Field => [1, message([typeof size === "number" ? [1, size] : [2, size]])]);
  const tensor = message([
    [1, TYPES[type]],
    [2, message(dimensions)],
  ]);
  return message([
    [1, name],
    [2, message([[1, tensor]])],
  ]);
}

function message(fields: readonly Field[]): Uint8Array {
  const bytes: number[] = [];
  for (const [number, value] of fields) {
    if (typeof value === "number") {
      bytes.push(...varint(number << 3), ...varint(value));
      continue;
    }
    const body = typeof value === "string" ? new TextEncoder().encode(value) : value;
    bytes.push(...varint((number << 3) | 2), ...varint(body.length), ...body);
  }
  return Uint8Array.from(bytes);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
