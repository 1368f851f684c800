import { fileURLToPath, URL } from "node:url";

/** Builds small ONNX models: f32 tensors, one output called `out`. */

const F32 = 1;
const INTEGER = 2;
const INTEGERS = 7;

/**
 * @param {object} graph
 * @param {Record<string, number[]>} graph.inputs shapes by name
 * @param {number[]} graph.output shape of `out`
 * @param {readonly { op: string, inputs: string[], output: string, attributes?: Record<string, number | number[]> }[]}
 * graph.nodes in the order in which they run
 * @param {Record<string, { shape: number[], values: Float32Array }>} [graph.weights] by name
 * @returns {Promise<Uint8Array>} the model's file
 */
export async function buildModel({ inputs, output, nodes, weights = {} }) {
  const { default: protobuf } = await import("protobufjs");
  const options = { keepCase: true };
  const root = await new protobuf.Root().load(fileURLToPath(new URL("onnx.proto", import.meta.url)), options);
  const Model = root.lookupType("onnx.ModelProto");
  return Model.encode(
    Model.fromObject({
      ir_version: 8,
      producer_name: "activemixup bench/peers",
      opset_import: [{ domain: "", version: 17 }],
      graph: {
        name: "workload",
        node: nodes.map((node) => ({
          op_type: node.op,
          name: node.output,
          input: node.inputs,
          output: [node.output],
          attribute: Object.entries(node.attributes ?? {}).map(attribute),
        })),
        initializer: Object.entries(weights).map(([name, { shape, values }]) => ({
          name,
          dims: shape,
          data_type: F32,
          raw_data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
        })),
        input: Object.entries(inputs).map(valueInfo),
        output: [valueInfo(["out", output])],
      },
    }),
  ).finish();
}

const attribute = ([name, value]) =>
  Array.isArray(value) ? { name, type: INTEGERS, ints: value } : { name, type: INTEGER, i: value };

const valueInfo = ([name, shape]) => ({
  name,
  type: { tensor_type: { elem_type: F32, shape: { dim: shape.map((length) => ({ dim_value: length })) } } },
});
