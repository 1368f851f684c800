import { describe, expect, it } from "vitest";
import { problemsOf, WHOLE_WEIGHT } from "../../src/kernels/index.js";
import { Examples, Network, networkProblems, plainAdam, Trainer } from "../../src/nn/index.js";
import { createTensor } from "../../src/tensor/index.js";
import { capableDevice } from "../kernels/tune/capable.js";

const image = { channels: 1, height: 12, width: 12 };
const spec = { architecture: "lenet5-half", image, classes: 3, mean: [0.5], deviation: [0.5] };

describe("the problems of a network", () => {
  const device = capableDevice();
  const network = new Network(device, spec, 1);
  const keys = (batches: Parameters<typeof networkProblems>[1]) =>
    networkProblems(network, batches).map(({ key }) => key);

  it("are those of the training step that is recorded", async () => {
    const images = createTensor(device, [4, 1, 12, 12], { dtype: "u8" });
    const examples = new Examples(device, images, 4, 3);
    examples.set([{ first: 0, second: 0, weight: WHOLE_WEIGHT }], new Float32Array(3));
    const options = { batch: 4, optimizer: plainAdam, augmentation: { crop: 1, flip: false }, seed: 1 };
    const trainer = await Trainer.create(network, examples, options, 10);
    const recorded = problemsOf(trainer.recording.launches).map(({ key }) => key);
    expect(recorded).toHaveLength(14);
    expect(keys({ training: [4], inference: [] })).toEqual(recorded);
  });

  it("of a forward pass have no gradients, and come once where batches are equal", () => {
    const forward = keys({ training: [], inference: [4] });
    expect(forward).toEqual([
      "conv2d forward 4x1x12x12 3 5x5 s1 p0",
      "conv2d forward 4x3x4x4 8 5x5 s1 p2",
      "matmul 4x120x32 nt",
      "matmul 4x84x120 nt",
      "matmul 4x3x84 nt",
    ]);
    expect(keys({ training: [], inference: [4, 4, 7] })).toHaveLength(10);
    expect(keys({ training: [4], inference: [4] })).toHaveLength(14);
  });
});
