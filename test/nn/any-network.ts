/** Networks with values that nothing leaves as it is, and what the engine says of images: to compare others with. */
import { drawDigits } from "../../src/data/index.js";
import { blendImages, rangeIndices, WHOLE_WEIGHT } from "../../src/kernels/index.js";
import { Network, type NetworkSpec } from "../../src/nn/index.js";
import { createTensor, Philox, RandomStream, readTensor, record, sizeOf, type Device } from "../../src/tensor/index.js";

/**
 * What a network of the tests is: of 28 × 28 grey pixels for LeNet, of 32 × 32 in colour for the others, but for the
 * dearest, which can do with less.
 */
export function anySpec(architecture: string): NetworkSpec {
  const side = architecture === "resnet18" ? 16 : 32;
  const image = architecture.startsWith("lenet")
    ? { channels: 1, height: 28, width: 28 }
    : { channels: 3, height: side, width: side };
  const mean = [0.4914, 0.4822, 0.4465].slice(0, image.channels);
  const deviation = [0.2023, 0.1994, 0.201].slice(0, image.channels);
  return { architecture, image, classes: 10, mean, deviation };
}

/**
 * A network whose batch norms are no identities: statistics, scales and shifts are drawn too. The last layer is scaled up,
 * so that logits are some units apart, as those of trained networks are.
 */
export async function anyNetwork(device: Device, spec: NetworkSpec, seed: number): Promise<Network> {
  const network = new Network(device, spec, seed);
  const state = new Map(await network.state());
  const last = [...state.keys()].filter((name) => name.endsWith(".weight")).at(-1);
  for (const [index, [name, { shape, data }]] of [...state].entries()) {
    const random = new Philox(seed, RandomStream.augment, index);
    const draw = (low: number, high: number) => data.map(() => low + (high - low) * random.float());
    const norm = name.replace(/[^.]*$/, "running_var");
    if (name.endsWith("running_mean")) state.set(name, { shape, data: draw(-0.5, 0.5) });
    else if (name.endsWith("running_var")) state.set(name, { shape, data: draw(0.5, 2) });
    else if (state.has(norm) && name.endsWith("weight")) state.set(name, { shape, data: draw(0.3, 0.7) });
    else if (state.has(norm)) state.set(name, { shape, data: draw(-0.5, 0.5) });
    else if (name === last) state.set(name, { shape, data: data.map((value) => 8 * value) });
  }
  network.load(state, "test");
  return network;
}

/** Drawn digits as 8-bit images for the network, N C H W: of each channel another digit. */
export function anyImages({ image }: NetworkSpec, count: number): Uint8Array {
  return drawDigits(count * image.channels, 5, { size: image.height }).pixels;
}

/** The engine's logits of 8-bit images, [images, classes]. */
export async function logitsOf(network: Network, pixels: Uint8Array): Promise<Float32Array> {
  const { device, spec } = network;
  const { channels, height, width } = spec.image;
  const shape = [pixels.length / sizeOf([channels, height, width]), channels, height, width];
  const [count] = shape;
  const images = createTensor(device, shape, { dtype: "u8", data: pixels, name: "images" });
  const weight = createTensor(device, [count], { dtype: "u32", data: new Uint32Array(count).fill(WHOLE_WEIGHT) });
  const position = createTensor(device, [1], { dtype: "u32", data: [0] });
  const recording = await record(device, (recorder) => {
    const chosen = rangeIndices(recorder, position, count, count);
    const blend = { first: chosen, second: chosen, weight };
    const input = blendImages(recorder, images, blend, { mean: spec.mean, std: spec.deviation });
    return recorder.keep(network.forward({ recorder, training: false, seed: 0 }, input).output);
  });
  recording.run();
  const logits = await readTensor(recording.result);
  recording.dispose();
  for (const tensor of [images, weight, position]) tensor.dispose();
  return logits;
}
