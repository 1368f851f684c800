import { runEngine, versionOf } from "./runner.mjs";
import { tfjsKinds } from "./tfjs.mjs";

/** TensorFlow.js on WebAssembly with SIMD; in Node it has one thread. */
async function open() {
  const tf = await import("@tensorflow/tfjs");
  await import("@tensorflow/tfjs-backend-wasm");
  if (!(await tf.setBackend("wasm"))) throw new Error("tfjs does not start its WebAssembly");
  const packages = ["@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm"];
  return { versions: Object.fromEntries(packages.map((name) => [name, versionOf(name)])), kinds: tfjsKinds(tf) };
}

await runEngine("tfjs-wasm", open);
