import { describe, expect, it } from "vitest";
import { blendFeatures, WHOLE_WEIGHT } from "../../src/kernels/index.js";
import { architectures, buildModule, Network, Sequential, type NetworkSpec } from "../../src/nn/index.js";
import { expectClose, f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";
import { randomInput, runKernel, type Input } from "../kernels/harness.js";

const devices = useDevices();

function specOf(architecture: string): NetworkSpec {
  const image = architecture.startsWith("lenet")
    ? { channels: 1, height: 28, width: 28 }
    : { channels: 3, height: 32, width: 32 };
  const scale = new Array<number>(image.channels).fill(0.5);
  return { architecture, image, classes: 10, mean: scale, deviation: scale };
}

function build(architecture: string) {
  const { image, classes } = specOf(architecture);
  return {
    module: buildModule(architecture, image, classes),
    inputShape: [1, image.channels, image.height, image.width],
  };
}

describe("how a network begins", () => {
  it("is a convolution in every architecture, with what is fused into it", () => {
    const starts = architectures.map((architecture) => {
      const { module, inputShape } = build(architecture);
      const { outputShape, multiplyAdds, bias, relu, pool, rest } = module.linearStart!()!;
      const shape = outputShape(inputShape);
      const parts = [bias ? "bias" : "", relu ? "relu" : "", pool ? `pool ${pool.kernel}/${pool.stride}` : ""];
      const rests = `${rest.length} more`;
      return [architecture, shape.join(" "), multiplyAdds(inputShape), ...parts.filter(Boolean), rests].join(", ");
    });
    expect(starts).toMatchInlineSnapshot(`
      [
        "lenet5, 1 6 24 24, 86400, bias, relu, pool 2/2, 6 more",
        "lenet5-half, 1 3 24 24, 43200, bias, relu, pool 2/2, 6 more",
        "lenet5-dropout, 1 6 24 24, 86400, bias, relu, pool 2/2, 7 more",
        "alexnet, 1 48 32 32, 3686400, bias, relu, pool 3/2, 19 more",
        "alexnet-half, 1 24 32 32, 1843200, bias, relu, pool 3/2, 19 more",
        "vgg16, 1 64 32 32, 1769472, bias, 32 more",
        "resnet20, 1 16 32 32, 442368, 6 more",
        "resnet32, 1 16 32 32, 442368, 6 more",
        "resnet18, 1 64 32 32, 1769472, 7 more",
      ]
    `);
  });

  it("counts the multiply-adds of convolutions and matrix products", () => {
    const count = (architecture: string) => {
      const { module, inputShape } = build(architecture);
      return module.multiplyAdds!(inputShape);
    };
    // Outputs times taps, layer by layer.
    expect(count("lenet5-half")).toBe(3 * 24 * 24 * 25 + 8 * 12 * 12 * 3 * 25 + 120 * 8 * 6 * 6 + 84 * 120 + 10 * 84);
    const vggStage = (side: number, ...channels: number[]) =>
      channels.slice(1).reduce((sum, outputs, index) => sum + side * side * outputs * channels[index] * 9, 0);
    expect(count("vgg16")).toBe(
      vggStage(32, 3, 64, 64) +
        vggStage(16, 64, 128, 128) +
        vggStage(8, 128, 256, 256, 256) +
        vggStage(4, 256, 512, 512, 512) +
        vggStage(2, 512, 512, 512, 512) +
        512 * 10,
    );
    // Of ResNet-18's shortcuts three are convolutions: 1×1 at half the side.
    const block = (side: number, inputs: number, outputs: number) => vggStage(side, inputs, outputs, outputs);
    const projections = [16, 8, 4].reduce((sum, side, index) => sum + side * side * 2 * (64 << index) ** 2, 0);
    const blocks = [
      [32, 64, 64],
      [32, 64, 64],
      [16, 64, 128],
      [16, 128, 128],
      [8, 128, 256],
      [8, 256, 256],
      [4, 256, 512],
      [4, 512, 512],
    ].reduce((sum, [side, inputs, outputs]) => sum + block(side, inputs, outputs), 0);
    expect(count("resnet18")).toBe(vggStage(32, 3, 64) + blocks + projections + 512 * 10);
  });

  it.each(["lenet5", "alexnet-half", "resnet20"])("and the rest, put together, is %s", async (architecture) => {
    const network = new Network(devices.gpu, specOf(architecture), 3);
    const { inputShape, linearStart } = network;
    const [, ...shape] = inputShape;
    const u32 = (data: number[]): Input<"u32"> => ({ shape: [data.length], dtype: "u32", data });
    const inputs = {
      images: randomInput([2, ...shape], 1),
      first: u32([0, 1]),
      second: u32([1, 0]),
      weight: u32([WHOLE_WEIGHT, WHOLE_WEIGHT]),
    };
    const { whole, parts } = await runKernel(devices.gpu, inputs, (recorder, { images, ...blend }) => {
      const pass = { recorder, training: false, seed: 0 };
      const { map, bias, relu, pool, rest } = linearStart!;
      const features = map(recorder, images);
      const start = blendFeatures(recorder, features, blend, { perPair: 1, bias: bias?.value, relu, pool });
      return { whole: network.forward(pass, images).output, parts: Sequential.of(...rest).forward(pass, start).output };
    });
    expectClose(parts, whole, f32Tolerance(), architecture);
    network.dispose();
  });
});
