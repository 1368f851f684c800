import { describe, expect, it } from "vitest";
import {
  decodeNetwork,
  defineNetwork,
  encodeNetwork,
  Flatten,
  Linear,
  Network,
  Sequential,
} from "../../src/nn/index.js";
import { CpuDevice } from "../../src/tensor/index.js";

const spec = {
  architecture: "one-layer",
  image: { channels: 1, height: 2, width: 2 },
  classes: 3,
  mean: [0.5],
  deviation: [0.5],
};

describe("defineNetwork", () => {
  it("makes a network known to new networks and to files", async () => {
    const device = new CpuDevice();
    expect(() => new Network(device, spec, 1)).toThrow(/^no network is called "one-layer"; choose one of lenet5, /);
    defineNetwork("one-layer", ({ channels, height, width }, classes) => {
      return new Sequential({ flatten: new Flatten(), fc: new Linear(channels * height * width, classes) });
    });
    const network = new Network(device, spec, 1);
    expect([...network.parameters.keys()]).toEqual(["fc.weight", "fc.bias"]);
    const read = decodeNetwork(await encodeNetwork(network), "one-layer.safetensors", device);
    expect(await read.state()).toEqual(await network.state());
  });

  it("refuses a layer that is there twice, whose gradients would be lost", () => {
    const layer = new Linear(3, 3);
    defineNetwork("twice-the-same", ({ channels, height, width }, classes) => {
      const first = new Linear(channels * height * width, classes);
      return Sequential.of(new Flatten(), first, layer, layer);
    });
    expect(() => new Network(new CpuDevice(), { ...spec, architecture: "twice-the-same" }, 1)).toThrow(
      'network: "3.weight" is the parameter "2.weight" again; a layer with parameters can be in a network once: make another',
    );
  });

  it("refuses a name that is taken", () => {
    const build = () => new Flatten();
    expect(() => {
      defineNetwork("vgg16", build);
    }).toThrow('defineNetwork: there is a network "vgg16" already; choose another name');
  });
});
