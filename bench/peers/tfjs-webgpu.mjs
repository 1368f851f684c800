import { listen, provideWebGpu } from "./dawn.mjs";
import { runEngine, versionOf } from "./runner.mjs";
import { tfjsKinds } from "./tfjs.mjs";

/** TensorFlow.js on WebGPU, with the same Dawn and driver as ours. */
async function open({ profile }) {
  const { toggles } = await provideWebGpu(profile);
  const tf = await import("@tensorflow/tfjs");
  await import("@tensorflow/tfjs-backend-webgpu");
  if (!(await tf.setBackend("webgpu"))) throw new Error("tfjs does not take this WebGPU adapter");
  const backend = tf.backend();
  const { device } = backend;
  const packages = ["@tensorflow/tfjs", "@tensorflow/tfjs-backend-webgpu"];
  return {
    versions: Object.fromEntries(packages.map((name) => [name, versionOf(name)])),
    device: { toggles },
    kinds: tfjsKinds(tf, {
      // What it holds back for a larger submit.
      submit() {
        if (!backend.commandEncoder) return;
        backend.endComputePassEncoder();
        backend.submitQueue();
      },
      finish: () => device.queue.onSubmittedWorkDone(),
    }),
    trouble: listen(device),
    close: () => device.destroy(),
  };
}

await runEngine("tfjs-webgpu", open);
