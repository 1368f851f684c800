import { numbers } from "./inputs.mjs";

/**
 * The networks in jax-js: `initial()` gives parameters and velocity, `forward` takes parameters and images to logits.
 * Every function takes over its arguments, as jax-js wants it.
 */

/** One step of SGD with momentum 0.9 on soft-target cross-entropy, compiled as a whole. */
export function trainingStep(jax, { forward }, learningRate) {
  const { numpy: np, nn, jit, tree, valueAndGrad } = jax;
  const lossOf = (parameters, images, labels) => {
    const logarithms = nn.logSoftmax(forward(parameters, images), 1);
    return np.multiply(np.sum(np.multiply(labels, logarithms)), -1 / images.shape[0]);
  };
  return jit(({ parameters, velocity }, images, labels) => {
    const [loss, gradients] = valueAndGrad(lossOf)(tree.ref(parameters), images, labels);
    const moved = tree.map((before, gradient) => np.add(np.multiply(before, 0.9), gradient), velocity, gradients);
    const stepped = tree.map(
      (value, speed) => np.subtract(value, np.multiply(speed, learningRate)),
      parameters,
      tree.ref(moved),
    );
    return { loss, parameters: stepped, velocity: moved };
  });
}

function initialiser({ numpy: np }, shapes) {
  return () => {
    const parameters = shapes.map(({ shape, value, fanIn }, index) => {
      if (value !== undefined) return np.full(shape, value);
      const size = shape.reduce((product, length) => product * length, 1);
      const scale = Math.sqrt(24 / fanIn);
      return np.array(numbers(size, 20 + index).map((drawn) => scale * drawn)).reshape(shape);
    });
    return { parameters, velocity: shapes.map(({ shape }) => np.zeros(shape)) };
  };
}

/** Layers that name the shapes of their parameters when they are made, and take them from a list when they run. */
function builder({ numpy: np, lax, nn }) {
  const shapes = [];
  const add = (...entries) => {
    shapes.push(...entries);
    return shapes.length - entries.length;
  };
  return {
    shapes,
    conv(channels, outputs, kernel, padding) {
      const at = add(
        { shape: [outputs, channels, kernel, kernel], fanIn: channels * kernel ** 2 },
        { shape: [outputs], value: 0 },
      );
      const margins = [padding, padding];
      return (x, parameters) => {
        const out = lax.convGeneralDilated(x, parameters[at], [1, 1], [margins, margins]);
        return np.add(out, parameters[at + 1].reshape([1, outputs, 1, 1]));
      };
    },
    linear(inputs, outputs) {
      const at = add({ shape: [inputs, outputs], fanIn: inputs }, { shape: [outputs], value: 0 });
      return (x, parameters) => np.add(np.matmul(x, parameters[at]), parameters[at + 1]);
    },
    batchNorm(channels) {
      const at = add({ shape: [channels], value: 1 }, { shape: [channels], value: 0 });
      const spread = [1, channels, 1, 1];
      return (x, parameters) => {
        const centred = np.subtract(x.ref, np.mean(x, [0, 2, 3], { keepdims: true }));
        const variance = np.mean(np.square(centred.ref), [0, 2, 3], { keepdims: true });
        const normal = np.divide(centred, np.sqrt(np.add(variance, 1e-5)));
        return np.add(np.multiply(normal, parameters[at].reshape(spread)), parameters[at + 1].reshape(spread));
      };
    },
    relu: (x) => nn.relu(x),
    pool: (x) => lax.reduceWindow(x, np.max, [2, 2], [2, 2]),
    flatten: (x) => x.reshape([x.shape[0], -1]),
  };
}

const network = (jax, layers, shapes) => ({
  initial: initialiser(jax, shapes),
  forward: (parameters, images) => layers.reduce((x, layer) => layer(x, parameters), images),
});

/** LeNet-5 as in `src/nn/networks/lenet.ts`. */
export function lenet5(jax) {
  const { conv, linear, relu, pool, flatten, shapes } = builder(jax);
  const features = [conv(1, 6, 5, 0), relu, pool, conv(6, 16, 5, 2), relu, pool, flatten];
  const classifier = [linear(16 * 6 * 6, 120), relu, linear(120, 84), relu, linear(84, 10)];
  return network(jax, [...features, ...classifier], shapes);
}

const VGG16 = [64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "pool"];

/** VGG-16 as in `src/nn/networks/vgg.ts`, without the running statistics that only evaluation needs. */
export function vgg16(jax) {
  const { conv, batchNorm, linear, relu, pool, flatten, shapes } = builder(jax);
  let channels = 3;
  const features = VGG16.flatMap((entry) => {
    if (entry === "pool") return [pool];
    const made = [conv(channels, entry, 3, 1), batchNorm(entry), relu];
    channels = entry;
    return made;
  });
  return network(jax, [...features, flatten, linear(512, 10)], shapes);
}
