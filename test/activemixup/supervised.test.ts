import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accuracyOf, fitLabelled } from "../../src/activemixup/index.js";
import { drawDigits } from "../../src/data/index.js";
import { Network } from "../../src/nn/index.js";
import { openDevice, type Device } from "../../src/tensor/index.js";

let device: Device;
beforeAll(async () => {
  device = await openDevice("cpu");
});
afterAll(() => {
  device.destroy();
});

const digits = drawDigits(30, 1, { size: 12 });
const options = { epochs: 2, batch: 10, rate: 0.01, crop: 0, seed: 0 };

function networkOf(classes: number): Network {
  const image = { channels: 1, height: 12, width: 12 };
  return new Network(device, { architecture: "lenet5-half", image, classes, mean: [0.5], deviation: [0.25] }, 1);
}

describe("training on labels", () => {
  it("makes the passes that it was asked for, with a loss that falls", async () => {
    const network = networkOf(10);
    const losses: number[] = [];
    const onEpoch = (_: number, loss: number) => losses.push(loss);
    const told = await fitLabelled(network, digits, { ...options, epochs: 30 }, { onEpoch });
    expect(told).toEqual({ epochs: 30, interrupted: false, loss: losses.at(-1) });
    expect(losses.at(-1)).toBeLessThan(losses[0] / 2);
    expect(await accuracyOf(network, digits)).toBeGreaterThan(0.5);
    network.dispose();
  });

  it("wants labels that the network has classes for", async () => {
    const network = networkOf(3);
    const unlabelled = { ...digits, labels: undefined };
    const none = `${digits.name} has no labels; give labelled images`;
    await expect(fitLabelled(network, unlabelled, options)).rejects.toThrow(none);
    await expect(accuracyOf(network, unlabelled)).rejects.toThrow(none);
    await expect(fitLabelled(network, digits, options)).rejects.toThrow(
      /image \d+ has label \d, expected labels from 0/,
    );
    network.dispose();
  });
});
