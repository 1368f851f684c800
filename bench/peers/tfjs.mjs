import {
  blendInputs,
  channelsLast,
  checkBlend,
  checkConv,
  checkFinite,
  checkMatmul,
  convInputs,
  filtersLast,
  matmulInputs,
  numbers,
  trainingInputs,
} from "./inputs.mjs";
import { inTurn } from "./sampling.mjs";

/**
 * The workloads on TensorFlow.js, for all its backends. Its layout is [N, H, W, C]; convolutions with bias and ReLU are
 * its fused ones, as its layers library uses them.
 * @param {typeof import("@tensorflow/tfjs")} tf with the backend set
 * @param {{ submit?: () => void, finish?: () => Promise<void> }} queue of a backend that has one
 */
export function tfjsKinds(tf, { submit = () => undefined, finish } = {}) {
  /** Repeats `step`, whose results are thrown away. */
  const repeating = (step, { check, owned = [] }) => ({
    run(times) {
      for (let time = 0; time < times; time++) tf.dispose(tf.tidy(step));
      submit();
    },
    finish,
    check,
    dispose: () => tf.dispose(owned),
  });

  const read = async (step) => {
    const result = tf.tidy(step);
    const values = await result.data();
    result.dispose();
    return values;
  };

  return {
    async matmul(workload) {
      const { size, dtype } = workload;
      if (dtype !== "f32") throw new Error(`has no ${dtype}`);
      const inputs = matmulInputs(workload);
      const [a, b] = [inputs.a, inputs.b].map((values) => tf.tensor2d(values, [size, size]));
      const step = () => tf.matMul(a, b);
      return repeating(step, { check: async () => checkMatmul(workload, inputs, await read(step)), owned: [a, b] });
    },

    async conv(workload) {
      const inputs = convInputs(workload);
      const [batch, channels, height, width] = inputs.input;
      const [outputs, , kernel] = inputs.filter;
      const x = tf.tensor4d(channelsLast(inputs.x, inputs.input), [batch, height, width, channels]);
      const w = tf.tensor4d(filtersLast(inputs.w, inputs.filter), [kernel, kernel, channels, outputs]);
      const step = () => tf.conv2d(x, w, 1, workload.padding > 0 ? "same" : "valid");
      const check = async () => {
        const values = await read(step);
        const [, maps, rows, columns] = inputs.output;
        checkConv(workload, inputs, ([n, c, row, column]) => values[((n * rows + row) * columns + column) * maps + c]);
      };
      return repeating(step, { check, owned: [x, w] });
    },

    async training(workload) {
      const { images, shape, targets, learningRate } = trainingInputs(workload);
      const [batch, channels, height, width] = shape;
      const network = workload.network === "vgg16" ? vgg16(tf) : lenet5(tf);
      const x = tf.tensor4d(channelsLast(images, shape), [batch, height, width, channels]);
      const labels = tf.tensor2d(targets, [batch, 10]);
      const optimizer = tf.train.momentum(learningRate, 0.9);
      const loss = () => tf.losses.softmaxCrossEntropy(labels, network.forward(x, true));
      const step = () => optimizer.minimize(loss, true, network.parameters);
      const owned = [x, labels, network.variables];
      return repeating(step, { check: async () => checkFinite(await read(step), "loss"), owned });
    },

    async inference({ batch }) {
      const network = lenet5(tf);
      const x = tf.tensor4d(numbers(batch * 784, 11), [batch, 28, 28, 1]);
      const step = () => network.forward(x, false);
      return repeating(step, {
        check: async () => checkFinite(await read(step), "logit"),
        owned: [x, network.variables],
      });
    },

    async blend(workload) {
      return inTurn(
        blendInputs(workload).map((inputs) => {
          const [a, b] = [inputs.a, inputs.b].map((values) => tf.tensor4d(values, inputs.shape));
          const weights = tf.tensor4d(inputs.weights, [inputs.shape[0], 1, 1, 1]);
          const step = () => tf.add(tf.mul(weights, a), tf.mul(tf.sub(1, weights), b));
          return repeating(step, { check: async () => checkBlend(inputs, await read(step)), owned: [a, b, weights] });
        }),
      );
    },
  };
}

/** Weights and layers of a network, each parameter drawn once. */
function builder(tf) {
  const parameters = [];
  const statistics = [];
  const variable = (tensor, trained) => {
    const made = tf.variable(tensor, trained);
    tensor.dispose();
    (trained ? parameters : statistics).push(made);
    return made;
  };
  const drawn = (shape, fanIn) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const scale = Math.sqrt(24 / fanIn);
    const values = numbers(size, 20 + parameters.length).map((value) => scale * value);
    return variable(tf.tensor(values, shape), true);
  };
  const constant = (size, value, trained = true) => variable(tf.fill([size], value), trained);
  return {
    parameters,
    get variables() {
      return [...parameters, ...statistics];
    },

    conv(channels, outputs, kernel, pad, activation) {
      const filter = drawn([kernel, kernel, channels, outputs], channels * kernel ** 2);
      const bias = constant(outputs, 0);
      return (x) => tf.fused.conv2d({ x, filter, strides: 1, pad, bias, activation });
    },

    linear(inputs, outputs, activation) {
      const b = drawn([inputs, outputs], inputs);
      const bias = constant(outputs, 0);
      return (a) => tf.fused.matMul({ a, b, bias, activation });
    },

    /** As its layers library does it: statistics of the batch, and running ones beside. */
    batchNorm(channels) {
      const [scale, offset] = [constant(channels, 1), constant(channels, 0)];
      const running = [constant(channels, 0, false), constant(channels, 1, false)];
      return (x, training) => {
        if (!training) return tf.batchNorm(x, ...running, offset, scale, 1e-5);
        const { mean, variance } = tf.moments(x, [0, 1, 2]);
        for (const [index, now] of [mean, variance].entries()) {
          running[index].assign(tf.add(tf.mul(running[index], 0.9), tf.mul(now, 0.1)));
        }
        return tf.batchNorm(x, mean, variance, offset, scale, 1e-5);
      };
    },
  };
}

const inOrder = (layers) => (x, training) => layers.reduce((value, layer) => layer(value, training), x);

/** LeNet-5 as in `src/nn/networks/lenet.ts`. */
function lenet5(tf) {
  const layers = builder(tf);
  const pool = (x) => tf.maxPool(x, 2, 2, "valid");
  const forward = inOrder([
    layers.conv(1, 6, 5, "valid", "relu"),
    pool,
    layers.conv(6, 16, 5, "same", "relu"),
    pool,
    (x) => tf.reshape(x, [x.shape[0], -1]),
    layers.linear(16 * 6 * 6, 120, "relu"),
    layers.linear(120, 84, "relu"),
    layers.linear(84, 10, "linear"),
  ]);
  return { forward, parameters: layers.parameters, variables: layers.variables };
}

const VGG16 = [64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "pool"];

/** VGG-16 as in `src/nn/networks/vgg.ts`. */
function vgg16(tf) {
  const layers = builder(tf);
  let channels = 3;
  const features = VGG16.flatMap((entry) => {
    if (entry === "pool") return [(x) => tf.maxPool(x, 2, 2, "valid")];
    const made = [layers.conv(channels, entry, 3, "same", "linear"), layers.batchNorm(entry), (x) => tf.relu(x)];
    channels = entry;
    return made;
  });
  const classify = layers.linear(512, 10, "linear");
  const forward = inOrder([...features, (x) => tf.reshape(x, [x.shape[0], -1]), classify]);
  return { forward, parameters: layers.parameters, variables: layers.variables };
}
