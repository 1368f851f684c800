import {
  blendInputs,
  checkBlend,
  checkConv,
  checkFinite,
  checkMatmul,
  convInputs,
  matmulInputs,
  numbers,
} from "./inputs.mjs";
import { buildModel } from "./onnx-model.mjs";
import { runEngine, versionOf } from "./runner.mjs";
import { inTurn } from "./sampling.mjs";

/** ONNX Runtime on the CPU, with its own choice of threads. */
async function open() {
  const { default: ort } = await import("onnxruntime-node");

  /** Repeats one model on one set of inputs. */
  async function subject(graph, feeds, check) {
    const session = await ort.InferenceSession.create(await buildModel(graph));
    const tensors = Object.fromEntries(
      Object.entries(feeds).map(([name, values]) => [name, new ort.Tensor("float32", values, graph.inputs[name])]),
    );
    const once = () => session.run(tensors);
    return {
      async run(times) {
        for (let time = 0; time < times; time++) await once();
      },
      check: async () => check((await once()).out.data),
      dispose: () => session.release(),
    };
  }

  return {
    versions: { "onnxruntime-node": versionOf("onnxruntime-node") },
    kinds: {
      matmul(workload) {
        const shape = [workload.size, workload.size];
        const inputs = matmulInputs(workload);
        const nodes = [{ op: "MatMul", inputs: ["a", "b"], output: "out" }];
        const check = (values) => checkMatmul(workload, inputs, values);
        return subject({ inputs: { a: shape, b: shape }, output: shape, nodes }, inputs, check);
      },

      conv(workload) {
        const { x, w, input, filter, output } = convInputs(workload);
        const { kernel, padding } = workload;
        const attributes = { kernel_shape: [kernel, kernel], pads: Array(4).fill(padding) };
        const nodes = [{ op: "Conv", inputs: ["x", "w"], output: "out", attributes }];
        const graph = { inputs: { x: input }, output, nodes, weights: { w: { shape: filter, values: w } } };
        const [, maps, rows, columns] = output;
        return subject(graph, { x }, (values) => {
          const at = ([n, c, row, column]) => values[((n * maps + c) * rows + row) * columns + column];
          checkConv(workload, { x, w, input, filter, output }, at);
        });
      },

      inference({ batch }) {
        const graph = lenet5(batch);
        return subject(graph, { images: numbers(batch * 784, 11) }, (values) => checkFinite(values, "logit"));
      },

      async blend(workload) {
        const halves = [];
        for (const half of blendInputs(workload)) {
          const { a, b, weights, shape } = half;
          halves.push(await subject(blending(shape), { a, b, weights }, (values) => checkBlend(half, values)));
        }
        return inTurn(halves);
      },
    },
    beyond: { training: "onnxruntime-node runs models, it does not train" },
  };
}

/** λ·a + (1 − λ)·b as b + λ·(a − b), one λ an image. */
function blending(shape) {
  return {
    inputs: { a: shape, b: shape, weights: [shape[0], 1, 1, 1] },
    output: shape,
    nodes: [
      { op: "Sub", inputs: ["a", "b"], output: "difference" },
      { op: "Mul", inputs: ["difference", "weights"], output: "share" },
      { op: "Add", inputs: ["b", "share"], output: "out" },
    ],
  };
}

/** LeNet-5 as in `src/nn/networks/lenet.ts`. */
function lenet5(batch) {
  const weights = {};
  const nodes = [];
  let last = "images";
  const add = (op, parameters, attributes) => {
    const output = `value${nodes.length}`;
    nodes.push({ op, inputs: [last, ...parameters], output, attributes });
    last = output;
  };
  const parameters = (name, ...shapes) =>
    shapes.map((shape, index) => {
      const size = shape.reduce((product, length) => product * length, 1);
      const seed = 20 + Object.keys(weights).length;
      weights[`${name}.${index}`] = { shape, values: numbers(size, seed).map((value) => value / 4) };
      return `${name}.${index}`;
    });
  const conv = (name, channels, outputs, padding) => {
    const attributes = { kernel_shape: [5, 5], pads: Array(4).fill(padding) };
    add("Conv", parameters(name, [outputs, channels, 5, 5], [outputs]), attributes);
    add("Relu", []);
    add("MaxPool", [], { kernel_shape: [2, 2], strides: [2, 2] });
  };
  const linear = (name, inputs, outputs) => add("Gemm", parameters(name, [outputs, inputs], [outputs]), { transB: 1 });
  conv("conv1", 1, 6, 0);
  conv("conv2", 6, 16, 2);
  add("Flatten", [], { axis: 1 });
  linear("fc1", 16 * 6 * 6, 120);
  add("Relu", []);
  linear("fc2", 120, 84);
  add("Relu", []);
  linear("fc3", 84, 10);
  nodes[nodes.length - 1].output = "out";
  return { inputs: { images: [batch, 1, 28, 28] }, output: [batch, 10], nodes, weights };
}

await runEngine("onnxruntime", open);
