/**
 * The one list of workloads. Every runner measures rows of it, and `torch_bench.py` carries a copy, which a test holds
 * against this one, so that the script can be used alone.
 *
 * `work` is what one run works through, in units of the rate: floating-point operations (a multiply-add counts as
 * two), bytes that have to move at least, or images. `sets`: which machines it is for. `full`: only with `--full`.
 * `peers`: who is asked; everyone where it is absent.
 */

const everywhere = ["cpu", "gpu"];

function matmul(size, { dtype = "f32", ...rest } = {}) {
  const name = dtype === "f32" ? `matmul ${size}` : `matmul ${size} ${dtype}`;
  return { name, kind: "matmul", size, dtype, work: 2 * size ** 3, unit: "GFLOP/s", sets: everywhere, ...rest };
}

function convolution(label, input, outputs, kernel, padding) {
  const [batch, channels, height, width] = input;
  const rows = height + 2 * padding - kernel + 1;
  const columns = width + 2 * padding - kernel + 1;
  return {
    name: `conv ${label} [${input.join(",")}]→${outputs} ${kernel}×${kernel}`,
    kind: "conv",
    input,
    outputs,
    kernel,
    padding,
    work: 2 * batch * outputs * rows * columns * channels * kernel ** 2,
    unit: "GFLOP/s",
    sets: everywhere,
  };
}

function training(label, network, batch, { graphs = false, ...rest } = {}) {
  const name = `${label} training, batch ${batch}${graphs ? ", CUDA graphs" : ""}`;
  return { name, kind: "training", network, batch, graphs, work: batch, unit: "images/s", sets: everywhere, ...rest };
}

const onGpu = { sets: ["gpu"], peers: ["torch"] };

/** The rows, in the order to show them. */
export const workloads = [
  matmul(512),
  matmul(1024),
  matmul(2048, { full: true }),
  matmul(4096, onGpu),
  matmul(4096, { ...onGpu, dtype: "f16" }),
  convolution("c1", [32, 3, 32, 32], 64, 3, 1),
  convolution("c2", [32, 64, 32, 32], 64, 3, 1),
  convolution("c3", [32, 256, 8, 8], 512, 3, 1),
  convolution("c4", [64, 1, 28, 28], 20, 5, 0),
  training("LeNet-5", "lenet5", 64),
  training("LeNet-5", "lenet5", 64, { ...onGpu, graphs: true }),
  training("LeNet-5", "lenet5", 256),
  {
    name: "LeNet-5 inference, batch 1024",
    kind: "inference",
    batch: 1024,
    work: 1024,
    unit: "images/s",
    sets: everywhere,
  },
  // The WebAssembly engines have no gradients for it, or take minutes a step.
  training("VGG-16", "vgg16", 32, { full: true, peers: ["tfjs-webgpu", "jax-js-webgpu", "torch"] }),
  training("VGG-16", "vgg16", 128, onGpu),
  {
    name: "blend [256,3,224,224]",
    kind: "blend",
    shape: [256, 3, 224, 224],
    work: 3 * 4 * 256 * 3 * 224 * 224,
    unit: "GB/s",
    sets: everywhere,
  },
  {
    name: "copy 256 MiB",
    kind: "copy",
    bytes: 2 ** 28,
    work: 2 * 2 ** 28,
    unit: "GB/s",
    sets: everywhere,
    peers: ["torch"],
  },
];

/** What one of a rate's unit is in `work` per second. */
export const perUnit = { "GFLOP/s": 1e9, "GB/s": 1e9, "images/s": 1 };

/**
 * The rows to run.
 * @param {{ set: "cpu" | "gpu", full?: boolean, only?: readonly string[] }} choice `only`: rows whose names hold any of
 * the texts, all rows where there is none
 */
export function chooseWorkloads({ set, full = false, only = [] }) {
  const asked = (name) => only.length === 0 || only.some((text) => name.toLowerCase().includes(text.toLowerCase()));
  return workloads.filter(({ name, sets, full: long }) => sets.includes(set) && (full || !long) && asked(name));
}

/** The rate of one run that took `seconds`, in the workload's unit. */
export function rate({ work, unit }, seconds) {
  return work / seconds / perUnit[unit];
}
