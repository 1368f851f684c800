import { afterAll, describe, expect, it } from "vitest";
import { InputError } from "../../src/errors.js";
import { architectures, buildModule, decodeNetwork, encodeNetwork, Network } from "../../src/nn/index.js";
import { decodeSafetensors, encodeSafetensors } from "../../src/nn/safetensors.js";
import { CpuDevice, readTensor } from "../../src/tensor/index.js";

const cpu = new CpuDevice(true);
afterAll(() => {
  cpu.destroy();
});

const cifar = { channels: 3, height: 32, width: 32 };
const mnist = { channels: 1, height: 28, width: 28 };
const specOf = (architecture: string) => {
  const image = architecture.startsWith("lenet") ? mnist : cifar;
  const scale = new Array<number>(image.channels).fill(0.5);
  return { architecture, image, classes: 10, mean: scale, deviation: scale };
};

describe("the published networks", () => {
  // Counted by hand from the table of layers in PAPER: weights and biases, with scale and shift of each batch norm.
  it.each([
    ["lenet5", 6 * 26 + 16 * 151 + 120 * 577 + 84 * 121 + 10 * 85],
    ["lenet5-half", 3 * 26 + 8 * 76 + 120 * 289 + 84 * 121 + 10 * 85],
    ["lenet5-dropout", 6 * 26 + 16 * 151 + 120 * 577 + 84 * 121 + 10 * 85],
    [
      "alexnet",
      48 * 76 +
        128 * (48 * 25 + 1) +
        192 * (128 * 9 + 1) +
        192 * (192 * 9 + 1) +
        128 * (192 * 9 + 1) +
        512 * (128 * 9 + 1) +
        256 * 513 +
        10 * 257 +
        2 * (48 + 128 + 192 + 192 + 128 + 512 + 256),
    ],
    [
      "alexnet-half",
      24 * 76 +
        64 * (24 * 25 + 1) +
        96 * (64 * 9 + 1) +
        96 * (96 * 9 + 1) +
        64 * (96 * 9 + 1) +
        256 * (64 * 9 + 1) +
        128 * 257 +
        10 * 129 +
        2 * (24 + 64 + 96 + 96 + 64 + 256 + 128),
    ],
    ["vgg16", 14_728_266],
    ["resnet20", 269_722],
    ["resnet32", 464_154],
    ["resnet18", 11_173_962],
  ])("%s has %i parameters", (architecture, expected) => {
    const network = new Network(cpu, specOf(architecture), 0);
    expect(network.size).toBe(expected);
    network.dispose();
  });

  it("all give one logit a class", () => {
    for (const architecture of architectures) {
      const { image } = specOf(architecture);
      const shape = [2, image.channels, image.height, image.width];
      expect(buildModule(architecture, image, 7).outputShape(shape)).toEqual([2, 7]);
    }
  });

  it("are named as PyTorch names them", () => {
    const names = (architecture: string) => [...new Network(cpu, specOf(architecture), 0).parameters.keys()];
    expect(names("lenet5").slice(0, 4)).toEqual(["conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias"]);
    expect(names("vgg16").slice(0, 7)).toEqual([
      "features.0.weight",
      "features.0.bias",
      "features.1.weight",
      "features.1.bias",
      "features.1.running_mean",
      "features.1.running_var",
      "features.3.weight",
    ]);
    expect(names("resnet18")).toContain("layer2.0.downsample.0.weight");
  });

  it("say what they cannot be", () => {
    expect(() => buildModule("lenet", mnist, 10)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: no network is called "lenet"; choose one of lenet5, lenet5-half, lenet5-dropout, alexnet, alexnet-half, vgg16, resnet20, resnet32, resnet18]`,
    );
    expect(() => buildModule("vgg16", { channels: 3, height: 8, width: 8 }, 10)).toThrow(InputError);
  });

  it("start from the same values with the same seed", async () => {
    const values = async (seed: number) => readTensor(new Network(cpu, specOf("lenet5"), seed).values);
    expect(await values(4)).toEqual(await values(4));
    expect(await values(4)).not.toEqual(await values(5));
  });
});

describe("a network file", () => {
  it("gives the network back, statistics included", async () => {
    const network = new Network(cpu, { ...specOf("alexnet-half"), classNames: [..."abcdefghij"] }, 2);
    const copy = decodeNetwork(await encodeNetwork(network), "copy.safetensors", cpu);
    expect(copy.spec).toEqual(network.spec);
    expect(await copy.state()).toEqual(await network.state());
  });

  it("is refused where its weights or its metadata are not those of a network", async () => {
    const network = new Network(cpu, specOf("lenet5"), 2);
    const { metadata } = decodeSafetensors(await encodeNetwork(network), "n.safetensors");
    const state = new Map(await network.state());
    const decode =
      (changed: typeof state, changedMetadata: Record<string, string> = metadata) =>
      () =>
        decodeNetwork(encodeSafetensors(changed, changedMetadata), "n.safetensors", cpu);
    expect(decode(state, {})).toThrowErrorMatchingInlineSnapshot(
      `[InputError: n.safetensors: its metadata has no "activemixup"; expected a network that \`activemixup train\` or \`distill\` wrote: \`activemixup import\` makes one of weights from elsewhere]`,
    );
    const lacking = new Map(state);
    lacking.delete("fc1.bias");
    expect(decode(lacking)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: n.safetensors, as lenet5: lacks "fc1.bias" [120], which the network has]`,
    );
    const wrong = new Map(state).set("fc1.bias", { shape: [7], data: new Float32Array(7) });
    expect(decode(wrong)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: n.safetensors, as lenet5: "fc1.bias" is [7]; the network expects [120]]`,
    );
    const more = new Map(state).set("fc9.bias", { shape: [7], data: new Float32Array(7) });
    expect(decode(more)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: n.safetensors, as lenet5: holds "fc9.bias", which the network has not]`,
    );
    const spec = JSON.parse(metadata.activemixup) as object;
    const lying = (change: object) => ({ ...metadata, activemixup: JSON.stringify({ ...spec, ...change }) });
    expect(decode(state, lying({ classes: 1e12 }))).toThrow(InputError);
    expect(decode(state, lying({ architecture: "gpt" }))).toThrow(InputError);
    const huge = { channels: 3, height: 4096, width: 4096 };
    const three = [0.5, 0.5, 0.5];
    const promised = { architecture: "alexnet", image: huge, mean: three, deviation: three };
    expect(decode(state, lying(promised))).toThrow(/^n.safetensors, as alexnet: /);
    expect(decode(state, lying({ classNames: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }))).toThrow(InputError);
    const broken = new Map(state).set("fc3.bias", { shape: [10], data: new Float32Array(10).fill(NaN) });
    expect(decode(broken)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: n.safetensors, as lenet5: "fc3.bias" holds NaN at 0; expected finite weights]`,
    );
    expect(decode(state, lying({ deviation: [0] }))).toThrow(InputError);
    expect(decode(state, { ...metadata, activemixup: "{" })).toThrow(InputError);
  });
});
