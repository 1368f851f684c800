/** ONNX files, by `protobufjs` and the messages of `onnx.proto`: loaded when the first one is written or read. */
import type { Type } from "protobufjs";
import { InputError } from "../../errors.js";
import { sizeOf } from "../../tensor/index.js";
import type { OnnxConstant, OnnxNode } from "./graph.js";
import schema from "./onnx.proto?raw";

/** Sizes; names of those that are free. */
type Sizes = readonly (number | string)[];

/** An input or output of a model. */
export interface OnnxValue {
  readonly name: string;
  readonly type: "float32" | "uint8";
  readonly shape: Sizes;
  /** In words, for people. */
  readonly about: string;
}

/** All that a model's file says. */
export interface OnnxModel {
  readonly name: string;
  readonly about: string;
  readonly producer: { readonly name: string; readonly version: string };
  readonly metadata: ReadonlyMap<string, string>;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly constants: ReadonlyMap<string, OnnxConstant>;
  readonly nodes: readonly OnnxNode[];
}

/**
 * The version of the operators, of ONNX 1.16 (March 2024), and of the format that goes with it. All operators that
 * networks need mean the same in later ones; a higher number would only keep older runtimes from loading the file.
 */
export const ONNX_OPSET = 21;
const IR_VERSION = 10;

const ELEMENT_TYPES = { float32: 1, uint8: 2 } as const;
/** AttributeProto.AttributeType. */
const INT = 2;
const INTS = 7;
/** ModelProto.metadata_props. */
const METADATA_FIELD = 14;
/** Protobuf's readers take no longer messages. */
const MAX_BYTES = 2 ** 31 - 1;

async function lookup(name: string): Promise<{ type: Type; Reader: (typeof import("protobufjs"))["Reader"] }> {
  const { default: protobuf } = await import("protobufjs");
  const { root } = protobuf.parse(schema, { keepCase: true });
  return { type: root.lookupType(`onnx.${name}`), Reader: protobuf.Reader };
}

/**
 * A model's file.
 * @throws InputError where it would be larger than the format allows
 */
export async function encodeOnnxModel(model: OnnxModel): Promise<Uint8Array> {
  const weights = [...model.constants.values()].reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
  // The graph takes far less than the rest of a kibibyte an operator.
  if (weights + 1024 * model.nodes.length > MAX_BYTES) {
    throw new InputError(`export: weights of ${weights} bytes; an ONNX file holds at most ${MAX_BYTES}`);
  }
  const { type } = await lookup("ModelProto");
  const message = modelMessage(model);
  const fault = type.verify(message);
  if (fault !== null) throw new Error(`export: not as ONNX's schema has it: ${fault}`);
  return type.encode(message).finish();
}

function modelMessage(model: OnnxModel): Record<string, unknown> {
  return {
    ir_version: IR_VERSION,
    opset_import: [{ domain: "", version: ONNX_OPSET }],
    producer_name: model.producer.name,
    producer_version: model.producer.version,
    doc_string: model.about,
    metadata_props: [...model.metadata].map(([key, value]) => ({ key, value })),
    graph: {
      name: model.name,
      node: model.nodes.map(nodeMessage),
      initializer: [...model.constants].map(([name, { shape, data }]) => ({
        name,
        dims: [...shape],
        data_type: ELEMENT_TYPES.float32,
        // Little-endian, as typed arrays are on every machine with WebGPU.
        raw_data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      })),
      input: model.inputs.map(valueMessage),
      output: model.outputs.map(valueMessage),
    },
  };
}

function nodeMessage({ name, operator, inputs, output, attributes }: OnnxNode): Record<string, unknown> {
  return {
    name,
    op_type: operator,
    input: [...inputs],
    output: [output],
    attribute: Object.entries(attributes).map(([key, value]) =>
      typeof value === "number" ? { name: key, type: INT, i: value } : { name: key, type: INTS, ints: [...value] },
    ),
  };
}

function valueMessage({ name, type, shape, about }: OnnxValue): Record<string, unknown> {
  const dim = shape.map((size) => (typeof size === "number" ? { dim_value: size } : { dim_param: size }));
  return { name, doc_string: about, type: { tensor_type: { elem_type: ELEMENT_TYPES[type], shape: { dim } } } };
}

/**
 * What the metadata of an ONNX file says, by key. The rest of the file is skipped, not read.
 * @param bytes a whole model
 * @throws InputError that names the file where it is none
 */
export async function decodeOnnxMetadata(bytes: Uint8Array, name: string): Promise<Map<string, string>> {
  const { type: Entry, Reader } = await lookup("StringStringEntryProto");
  const metadata = new Map<string, string>();
  try {
    const reader = Reader.create(bytes);
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag >>> 3 !== METADATA_FIELD) {
        reader.skipType(tag & 7);
        continue;
      }
      const { key, value } = Entry.decode(reader, reader.uint32()) as unknown as { key: string; value: string };
      metadata.set(key, value);
    }
  } catch {
    throw new InputError(`${name}: is no ONNX model, or cut short; get the file again`);
  }
  return metadata;
}
