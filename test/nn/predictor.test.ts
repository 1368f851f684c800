import { describe, expect, it } from "vitest";
import {
  Conv2d,
  defineNetwork,
  Flatten,
  GlobalAvgPool,
  Linear,
  Network,
  Predictor,
  Sequential,
} from "../../src/nn/index.js";
import type { Capabilities } from "../../src/tensor/device.js";
import { expectClose, f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";

const devices = useDevices();
const CLASSES = 3;

// Batches of it are large, and cost little.
defineNetwork("wide-of-predictor-test", (image, classes) => {
  return new Sequential({
    conv: new Conv2d(image.channels, 64, 1),
    mean: new GlobalAvgPool(),
    flat: new Flatten(),
    linear: new Linear(64, classes),
  });
});
defineNetwork("mean-of-predictor-test", (image, classes) => {
  return new Sequential({
    mean: new GlobalAvgPool(),
    flat: new Flatten(),
    linear: new Linear(image.channels, classes),
  });
});

const networkOf = (name: "cpu" | "gpu", architecture: string, side: number, classes = CLASSES) =>
  new Network(
    devices[name],
    {
      architecture,
      image: { channels: 1, height: side, width: side },
      classes,
      mean: [0.5],
      deviation: [0.25],
    },
    0,
  );

const noise = (count: number, side: number, seed: number) =>
  Uint8Array.from(
    { length: count * side * side },
    (_, index) => (Math.imul(index + 1, 2654435761 + seed) >>> 13) & 255,
  );

describe.each(["cpu", "gpu"] as const)("a predictor, device %s", (name) => {
  it("does calls that overlap one after the other, each with its own images", async () => {
    const side = 8;
    const network = networkOf(name, "mean-of-predictor-test", side);
    const predictor = await Predictor.create(network, 4);
    const sets = [noise(9, side, 1), noise(3, side, 7), noise(6, side, 20)];
    const alone = [];
    for (const pixels of sets) alone.push(await predictor.predict(pixels));
    expect(await Promise.all(sets.map((pixels) => predictor.predict(pixels)))).toEqual(alone);
    expect(alone[1].probabilities).not.toEqual(alone[0].probabilities.subarray(0, 3 * CLASSES));

    // One that fails does not keep those behind it from being done.
    const [refused, behind] = [predictor.predict(new Uint8Array(5)), predictor.predict(sets[0])];
    await expect(refused).rejects.toThrow("5 pixels are no whole number of images of 64");
    expect(await behind).toEqual(alone[0]);
    predictor.dispose();
    network.dispose();
  });
});

describe("a predictor on a device that binds little", () => {
  /** Has the device bind no more than so many bytes meanwhile. */
  async function bindingAtMost<T>(bindingBytes: number, body: () => Promise<T>): Promise<T> {
    const device = devices.gpu as { capabilities: Capabilities };
    const { capabilities } = device;
    device.capabilities = { ...capabilities, bindingBytes };
    try {
      return await body();
    } finally {
      device.capabilities = capabilities;
    }
  }

  it.each([
    ["activations of all images", "wide-of-predictor-test", 16, 2 ** 20],
    ["the images", "mean-of-predictor-test", 64, 2 ** 16],
  ])("takes fewer at a time where they are too large: %s", async (_, architecture, side, bytes) => {
    const [network, reference] = [networkOf("gpu", architecture, side), networkOf("cpu", architecture, side)];
    const predictor = await bindingAtMost(bytes, () => Predictor.create(network, 64));
    const plain = await Predictor.create(reference, 64);
    const pixels = noise(40, side, 3);
    const [actual, expected] = [await predictor.predict(pixels), await plain.predict(pixels)];
    expectClose(actual.probabilities, expected.probabilities, f32Tolerance(side * side));
    expect([...actual.labels]).toEqual([...expected.labels]);
    for (const one of [predictor, plain, network, reference]) one.dispose();
  });

  it("takes fewer at a time where there is more to say of an image than it has pixels", async () => {
    const network = networkOf("gpu", "mean-of-predictor-test", 2, 100);
    const predictor = await bindingAtMost(4096, () => Predictor.create(network, 64));
    const { probabilities } = await predictor.predict(noise(40, 2, 3));
    expect(probabilities.length).toBe(40 * 100);
    const sum = probabilities.reduce((total, probability) => total + probability, 0);
    expect(sum).toBeCloseTo(40, 3);
    for (const one of [predictor, network]) one.dispose();
  });

  it("leaves nothing behind where its tensors find no room", async () => {
    const network = networkOf("gpu", "mean-of-predictor-test", 2, 100);
    const device = devices.gpu as { capabilities: Capabilities };
    const { capabilities } = device;
    const { liveBuffers, liveBytes } = devices.gpu.stats();
    device.capabilities = { ...capabilities, bufferBytes: 1024 };
    try {
      await expect(Predictor.create(network, 64)).rejects.toThrow('"probabilities" needs 25600 bytes');
    } finally {
      device.capabilities = capabilities;
    }
    expect(devices.gpu.stats()).toMatchObject({ liveBuffers, liveBytes });
    network.dispose();
  });

  it("leaves nothing behind where the network does not run on a single image", async () => {
    const network = networkOf("gpu", "wide-of-predictor-test", 16);
    const { liveBuffers, liveBytes } = devices.gpu.stats();
    const refused = bindingAtMost(4096, () => Predictor.create(network, 8));
    await expect(refused).rejects.toThrow("binds at most 4096");
    expect(devices.gpu.stats()).toMatchObject({ liveBuffers, liveBytes });
    network.dispose();
  });
});
