import { listen, provideWebGpu } from "./dawn.mjs";
import {
  blendInputs,
  checkBlend,
  checkConv,
  checkFinite,
  checkMatmul,
  convInputs,
  matmulInputs,
  numbers,
  trainingInputs,
} from "./inputs.mjs";
import { lenet5, trainingStep, vgg16 } from "./jax-networks.mjs";
import { runEngine, versionOf } from "./runner.mjs";
import { inTurn } from "./sampling.mjs";

/** jax-js on the device that `--variant` names: `webgpu` with the same Dawn and driver as ours, or `wasm`. */
async function open({ profile, variant }) {
  const { toggles } = await provideWebGpu(profile);
  const jax = await import("@jax-js/jax");
  if (!(await jax.init(variant)).includes(variant)) throw new Error(`jax-js does not take the device "${variant}"`);
  jax.defaultDevice(variant);
  const gpu = variant === "webgpu" ? jax.getWebGPUDevice() : undefined;
  return {
    versions: { "@jax-js/jax": versionOf("@jax-js/jax") },
    device: gpu && { toggles },
    kinds: kindsOf(jax, gpu),
    trouble: gpu && listen(gpu),
    close: () => gpu?.destroy(),
  };
}

/** The workloads, compiled by jax-js's `jit`; an argument's `.ref` keeps it for the next run. */
function kindsOf(jax, gpu) {
  const { numpy: np, lax, jit, tree } = jax;
  const array = (values, shape) => np.array(values).reshape(shape);

  /** jax-js is lazy: a result that nobody asks for is never computed. */
  const settle = async (result) => {
    if (gpu)
      await result.gpuBuffer(); // submits, does not wait, and lets go of the result
    else (await result.blockUntilReady()).dispose();
  };

  /** Repeats `step`, whose result is thrown away. */
  const repeating = (step, { check, owned = [] }) => ({
    async run(times) {
      for (let time = 0; time < times; time++) await settle(step());
    },
    finish: gpu && (() => gpu.queue.onSubmittedWorkDone()),
    check,
    dispose: () => tree.dispose(owned),
  });

  return {
    async matmul(workload) {
      const { size, dtype } = workload;
      if (dtype !== "f32") throw new Error(`is asked for f32 only, not ${dtype}`);
      const inputs = matmulInputs(workload);
      const [a, b] = [inputs.a, inputs.b].map((values) => array(values, [size, size]));
      const multiply = jit((left, right) => np.matmul(left, right));
      const step = () => multiply(a.ref, b.ref);
      return repeating(step, { check: async () => checkMatmul(workload, inputs, await step().data()), owned: [a, b] });
    },

    async conv(workload) {
      const inputs = convInputs(workload);
      const { padding } = workload;
      const [x, w] = [array(inputs.x, inputs.input), array(inputs.w, inputs.filter)];
      const margins = [padding, padding];
      const convolve = jit((images, filters) => lax.convGeneralDilated(images, filters, [1, 1], [margins, margins]));
      const step = () => convolve(x.ref, w.ref);
      const check = async () => {
        const values = await step().data();
        const [, maps, rows, columns] = inputs.output;
        checkConv(workload, inputs, ([n, c, row, column]) => values[((n * maps + c) * rows + row) * columns + column]);
      };
      return repeating(step, { check, owned: [x, w] });
    },

    async training(workload) {
      const { images, shape, targets, learningRate } = trainingInputs(workload);
      const network = workload.network === "vgg16" ? vgg16(jax) : lenet5(jax);
      const [x, labels] = [array(images, shape), array(targets, [shape[0], 10])];
      const update = trainingStep(jax, network, learningRate);
      let state = network.initial();
      const step = () => {
        const { loss, ...next } = update(state, x.ref, labels.ref);
        state = next;
        return loss;
      };
      const subject = repeating(step, {
        check: async () => checkFinite(await step().data(), "loss"),
        owned: [x, labels],
      });
      return {
        ...subject,
        dispose() {
          subject.dispose();
          tree.dispose(state);
        },
      };
    },

    async inference({ batch }) {
      const network = lenet5(jax);
      const { parameters, velocity } = network.initial();
      tree.dispose(velocity);
      const x = array(numbers(batch * 784, 11), [batch, 1, 28, 28]);
      const forward = jit((weights, input) => network.forward(weights, input));
      const step = () => forward(tree.ref(parameters), x.ref);
      const owned = [x, parameters];
      return repeating(step, { check: async () => checkFinite(await step().data(), "logit"), owned });
    },

    async blend(workload) {
      const inputs = blendInputs(workload);
      const halves = inputs.map(({ a, b, weights, shape }) => [
        array(a, shape),
        array(b, shape),
        array(weights, [shape[0], 1, 1, 1]),
      ]);
      const mix = jit((a, b, weights) => np.add(np.multiply(weights.ref, a), np.multiply(np.subtract(1, weights), b)));
      const blend = (half) => mix(...half.map((operand) => operand.ref));
      return inTurn(
        halves.map((half, index) => {
          const check = async () => checkBlend(inputs[index], await blend(half).data());
          return repeating(() => blend(half), { check, owned: half });
        }),
      );
    },
  };
}

await runEngine("jax-js", open);
