import { readFileSync } from "node:fs";
import { URL } from "node:url";
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
import { runEngine, versionOf } from "./runner.mjs";
import { inTurn } from "./sampling.mjs";

/** This package, as `npm run build` left it. */
async function open({ profile }) {
  const [tensor, kernels, nn] = await Promise.all(
    ["tensor", "kernels", "nn"].map((room) => import(`../../dist/src/${room}/index.js`)),
  ).catch((error) => {
    if (error.code === "ERR_MODULE_NOT_FOUND") throw new Error("is not built: `npm run build`");
    throw error;
  });
  const device = await tensor.openDevice("webgpu", { profile });
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const engine = { device, ...tensor, ...kernels, ...nn };
  return {
    versions: { activemixup: version, webgpu: versionOf("webgpu") },
    device: device.info,
    kinds: {
      matmul: (workload) => matmulSubject(engine, workload),
      conv: (workload) => convSubject(engine, workload),
      training: (workload) => trainingSubject(engine, workload),
      inference: (workload) => inferenceSubject(engine, workload),
      blend: (workload) => blendSubject(engine, workload),
      copy: (workload) => copySubject(profile, workload),
    },
    close: () => device.destroy(),
  };
}

/** A subject that replays a recording. */
function replaying({ device }, recording, { check, owned = [] }) {
  return {
    run: (times) => recording.run(times),
    finish: () => device.finish(),
    check,
    dispose: () => [recording, ...owned].forEach((item) => item.dispose()),
  };
}

async function matmulSubject(engine, workload) {
  const { device, createTensor, readTensor, record } = engine;
  const { size, dtype } = workload;
  const multiply = dtype === "f16" ? engine.matmulHalf : engine.matmul;
  const inputs = matmulInputs(workload);
  const [a, b] = [inputs.a, inputs.b].map((data) => createTensor(device, [size, size], { dtype, data }));
  const recording = await record(device, (recorder) => recorder.keep(multiply(recorder, a, b)));
  const check = async () => checkMatmul(workload, inputs, await readTensor(recording.result));
  return replaying(engine, recording, { check, owned: [a, b] });
}

async function convSubject(engine, workload) {
  const { device, createTensor, readTensor, record, conv2d } = engine;
  const inputs = convInputs(workload);
  const x = createTensor(device, inputs.input, { data: inputs.x });
  const w = createTensor(device, inputs.filter, { data: inputs.w });
  const { padding } = workload;
  const recording = await record(device, (recorder) => recorder.keep(conv2d(recorder, x, w, undefined, { padding })));
  const check = async () => {
    const values = await readTensor(recording.result);
    const [, channels, height, width] = inputs.output;
    checkConv(workload, inputs, ([n, c, row, column]) => values[((n * channels + c) * height + row) * width + column]);
  };
  return replaying(engine, recording, { check, owned: [x, w] });
}

/**
 * The whole step that `train` and `distill` replay: beside what the peers do it gathers the batch from 8-bit images,
 * blends and normalises it.
 */
async function trainingSubject(engine, workload) {
  const { device, createTensor, Network, Examples, Trainer, paperSgd, WHOLE_WEIGHT } = engine;
  const { batch } = workload;
  const { shape, targets, learningRate: rate } = trainingInputs(workload);
  const [, channels, height, width] = shape;
  const pixels = Uint8Array.from(
    numbers(
      shape.reduce((size, length) => size * length, 1),
      13,
    ),
    (value) => 256 * value,
  );
  const images = createTensor(device, shape, { dtype: "u8", data: pixels });
  const spec = { architecture: workload.network, image: { channels, height, width }, classes: 10 };
  const filled = (value) => Array(channels).fill(value);
  const network = new Network(device, { ...spec, mean: filled(0.5), deviation: filled(0.5) }, 1);
  const examples = new Examples(device, images, batch, 10);
  const whole = Array.from({ length: batch }, (_, image) => ({ first: image, second: image, weight: WHOLE_WEIGHT }));
  examples.set(whole, targets);
  const optimizer = { ...paperSgd, weightDecay: 0 };
  const options = { batch, optimizer, augmentation: { crop: 0, flip: false }, seed: 1 };
  const trainer = await Trainer.create(network, examples, options, 1);
  const check = async () => {
    checkFinite([await trainer.fit(0, { steps: 1, schedule: { kind: "constant", rate } })], "loss");
  };
  const owned = [trainer, examples, network, images];
  return { ...replaying(engine, trainer.recording, { check }), dispose: () => owned.forEach((item) => item.dispose()) };
}

async function inferenceSubject(engine, { batch }) {
  const { device, createTensor, readTensor, record, Network } = engine;
  const spec = { architecture: "lenet5", image: { channels: 1, height: 28, width: 28 }, classes: 10 };
  const network = new Network(device, { ...spec, mean: [0], deviation: [1] }, 1);
  const input = createTensor(device, [batch, 1, 28, 28], { data: numbers(batch * 784, 11) });
  const recording = await record(device, (recorder) =>
    recorder.keep(network.forward({ recorder, training: false, seed: 0 }, input).output),
  );
  const check = async () => checkFinite(await readTensor(recording.result), "logit");
  return replaying(engine, recording, { check, owned: [input, network] });
}

async function blendSubject(engine, workload) {
  const { device, createTensor, readTensor, record, blend } = engine;
  const halves = [];
  for (const inputs of blendInputs(workload)) {
    const [a, b] = [inputs.a, inputs.b].map((data) => createTensor(device, inputs.shape, { data }));
    const weights = createTensor(device, [inputs.shape[0]], { data: inputs.weights });
    const recording = await record(device, (recorder) => recorder.keep(blend(recorder, a, b, weights)));
    const check = async () => checkBlend(inputs, await readTensor(recording.result));
    halves.push(replaying(engine, recording, { check, owned: [a, b, weights] }));
  }
  return inTurn(halves);
}

/** WebGPU's own copy from buffer to buffer, on a device of its own: what no kernel beats. */
async function copySubject(profile, { bytes }) {
  const { loadDawn } = await import("../../dist/node/dawn.node.js");
  const gpu = await loadDawn({ profile });
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  const device = await adapter.requestDevice({ requiredLimits: { maxBufferSize: adapter.limits.maxBufferSize } });
  const { COPY_SRC, COPY_DST } = globalThis.GPUBufferUsage;
  const create = (mappedAtCreation) =>
    device.createBuffer({ size: bytes, usage: COPY_SRC | COPY_DST, mappedAtCreation });
  const [from, to] = [create(true), create(false)];
  new Uint8Array(from.getMappedRange()).fill(7);
  from.unmap();
  return {
    run(times) {
      const encoder = device.createCommandEncoder();
      for (let time = 0; time < times; time++) encoder.copyBufferToBuffer(from, 0, to, 0, bytes);
      device.queue.submit([encoder.finish()]);
    },
    finish: () => device.queue.onSubmittedWorkDone(),
    dispose: () => device.destroy(),
  };
}

await runEngine("ours", open);
