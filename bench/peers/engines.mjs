import { fileURLToPath, URL } from "node:url";

const script = (name) => fileURLToPath(new URL(name, import.meta.url));

/** The cure where a peer is missing. */
const INSTALL = "npm ci --prefix bench/peers";

/**
 * Who can be compared, in the order of the columns: the command that runs it, to which workloads are added; what is
 * added instead to ask only what it is, where that is not nothing; and how to install it. Ours comes first.
 * @param {{ profile: string, wait: string, python: string }} options
 */
export function listEngines({ profile, wait, python }) {
  const node = (file, ...options) => [process.execPath, script(file), "--profile", profile, ...options];
  return [
    { name: "ours", command: node("ours.mjs"), cure: "npm ci && npm run build" },
    { name: "tfjs-webgpu", command: node("tfjs-webgpu.mjs", "--wait", wait), cure: INSTALL },
    { name: "tfjs-wasm", command: node("tfjs-wasm.mjs"), cure: INSTALL },
    { name: "jax-js-webgpu", command: node("jax-js.mjs", "--variant", "webgpu", "--wait", wait), cure: INSTALL },
    { name: "jax-js-wasm", command: node("jax-js.mjs", "--variant", "wasm"), cure: INSTALL },
    { name: "onnxruntime", command: node("onnxruntime.mjs"), cure: INSTALL },
    {
      name: "torch",
      command: [python, script("torch_bench.py"), "--json"],
      hello: ["--about"],
      cure: "python3 -m pip install torch, and name its Python with --python",
    },
  ];
}

export const peerNames = listEngines({ profile: "safe", wait: "paused", python: "python3" })
  .map(({ name }) => name)
  .slice(1);
