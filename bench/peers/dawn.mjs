import { availableParallelism } from "node:os";

/**
 * The WebGPU entry for peers: Dawn as the package itself loads it, from the same `webgpu` and with the same toggles, so
 * that an engine is compared and not its driver. Peers look for `navigator.gpu`, as in a browser.
 */
export async function provideWebGpu(profile) {
  const { loadDawn, togglesOf } = await import("../../dist/node/dawn.node.js");
  const gpu = await loadDawn({ profile });
  const navigator = { gpu, userAgent: "Node", hardwareConcurrency: availableParallelism() };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  return { gpu, toggles: togglesOf(profile) };
}

/**
 * `finish`, waited for as the package itself waits for Dawn, or at once where `wait` is `plain`: then a core is kept busy,
 * which a software driver needs.
 * @param {"paused" | "plain"} wait
 * @param {() => Promise<void>} finish
 */
export async function waiting(wait, finish) {
  if (wait === "plain") return finish;
  const { waitForDawn } = await import("../../dist/node/wait.node.js");
  return () => waitForDawn(finish());
}

/**
 * Collects what a device complains about: engines that only log such errors go on and return nonsense.
 * @param {GPUDevice} device
 * @returns {() => string | undefined} the first complaint since the last call
 */
export function listen(device) {
  let complaint;
  device.addEventListener("uncapturederror", (event) => {
    complaint ??= `WebGPU: ${event.error.message.split("\n")[0]}`;
  });
  device.lost.then(({ reason, message }) => {
    if (reason !== "destroyed") complaint ??= `WebGPU device lost: ${message}`;
  });
  return () => {
    const heard = complaint;
    complaint = undefined;
    return heard;
  };
}
