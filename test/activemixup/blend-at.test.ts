import { describe, expect, it } from "vitest";
import {
  chooseBlendAt,
  lambdaWeight,
  LowestScoreAcquisition,
  paperLambdas,
  PairCandidates,
  ScoreRule,
  scoringWork,
  specFor,
  type BlendAt,
  type Choice,
} from "../../src/activemixup/index.js";
import { drawDigits, type ImageSet } from "../../src/data/index.js";
import { blendFeatures, blendImages, conv2d, type Blend } from "../../src/kernels/index.js";
import { buildModule, Network } from "../../src/nn/index.js";
import { CpuDevice, createTensor, Philox, type Device } from "../../src/tensor/index.js";
import { expectClose, f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";
import { runKernel, type Input } from "../kernels/harness.js";

const devices = useDevices();

const N = 20;
const SIDE = 12;
const digits: ImageSet = { ...drawDigits(N, 4, { size: SIDE }), labels: undefined, classes: 0 };
/** With pixels that are multiples of four, so that blends in quarters need no rounding. */
const coarse: ImageSet = { ...digits, pixels: digits.pixels.map((pixel) => pixel & ~3) };
const quarters = [0.25, 0.5, 0.75];

/** The `count` choices of two rounds, the student's weights drawn anew between them. */
async function chooseTwice(device: Device, images: ImageSet, blendAt: BlendAt, single = false): Promise<Choice[][]> {
  const student = new Network(device, specFor("lenet5-half", images, 10), 1);
  const pixels = createTensor(device, [N, 1, SIDE, SIDE], { dtype: "u8", data: images.pixels });
  const candidates = new PairCandidates(images, pixels, { lambdas: quarters, seed: 0, blendAt, single });
  const context = { candidates, student, seed: 0 };
  const acquisition = await LowestScoreAcquisition.create(context, await ScoreRule.create(context, "confidence"));
  expect(acquisition.blendAt).toBe(blendAt);
  const rounds = [await acquisition.select(30, 1, {})];
  student.initialise(2);
  rounds.push(await acquisition.select(30, 2, {}));
  acquisition.dispose();
  student.dispose();
  pixels.dispose();
  return rounds;
}

describe("scoring blends of features", () => {
  it.each([false, true])(
    "chooses as scoring pixels does where blends need no rounding (single λ: %s)",
    async (single) => {
      for (const device of [devices.cpu, devices.gpu]) {
        const [pixels, features] = [
          await chooseTwice(device, coarse, "pixels", single),
          await chooseTwice(device, coarse, "features", single),
        ];
        for (const [round, choices] of features.entries()) {
          const [own, expected] = [choices, pixels[round]].map((list) =>
            list.toSorted((a, b) => a.candidate - b.candidate),
          );
          expect(own.map(({ candidate, lambda }) => [candidate, lambda])).toEqual(
            expected.map(({ candidate, lambda }) => [candidate, lambda]),
          );
          const confidences = (list: Choice[]) => list.map(({ confidence }) => confidence!);
          expectClose(confidences(own), confidences(expected), f32Tolerance(10));
        }
        // The second round was scored with the weights that the student had by then.
        expect(features[1]).not.toEqual(features[0]);
      }
    },
  );

  it("chooses the same, bit for bit, each time", async () => {
    for (const device of [devices.cpu, devices.gpu]) {
      expect(await chooseTwice(device, digits, "features")).toEqual(await chooseTwice(device, digits, "features"));
    }
  });

  it("differs by no more than half a grey level through the first layer's weights", async () => {
    const network = new Network(devices.gpu, specFor("lenet5", digits, 10), 1);
    const { map, bias } = network.linearStart!;
    const { mean, deviation } = network.spec;
    const random = new Philox(3);
    const pairs = Array.from({ length: 40 }, () => [random.below(N), random.below(N)]);
    const perPair = paperLambdas.length;
    const u32 = (data: number[]): Input<"u32"> => ({ shape: [data.length], dtype: "u32", data });
    const repeated = (of: 0 | 1) => u32(pairs.flatMap((pair) => new Array<number>(perPair).fill(pair[of])));
    const inputs = {
      images: { shape: [N, 1, SIDE, SIDE], dtype: "u8", data: digits.pixels } as Input<"u8">,
      all: u32(Array.from({ length: N }, (_, image) => image)),
      whole: u32(new Array<number>(N).fill(65536)),
      first: repeated(0),
      second: repeated(1),
      weight: u32(pairs.flatMap(() => paperLambdas.map(lambdaWeight))),
    };
    const { features, pixels } = await runKernel(devices.gpu, inputs, (recorder, { images, all, whole, ...blend }) => {
      const normalised = (of: Blend) => blendImages(recorder, images, of, { mean, std: deviation });
      const real = map(recorder, normalised({ first: all, second: all, weight: whole }));
      const weight = network.parameters.get("conv1.weight")!.value;
      return {
        features: blendFeatures(recorder, real, blend, { perPair, bias: bias!.value }),
        pixels: conv2d(recorder, normalised(blend), weight, bias!.value),
      };
    });
    const weights = (await network.state()).get("conv1.weight")!.data;
    network.dispose();

    const area = (SIDE - 4) ** 2;
    for (let filter = 0; filter < 6; filter++) {
      const sum = weights.slice(filter * 25, (filter + 1) * 25).reduce((total, weight) => total + Math.abs(weight), 0);
      const bound = (0.5 / 255 / deviation[0]) * sum;
      let largest = 0;
      for (let index = 0; index < features.length; index++) {
        if (Math.floor(index / area) % 6 !== filter) continue;
        largest = Math.max(largest, Math.abs(features[index] - pixels[index]));
      }
      // Rounding errors of a window's 25 pixels seldom all point one way; no rounding at all would be 1e-6.
      expect(largest).toBeLessThanOrEqual(bound + 1e-5);
      expect(largest).toBeGreaterThan(0.1 * bound);
    }
  });
});

describe("where blends are scored", () => {
  const lavapipe = { ...new CpuDevice(false).capabilities, bindingBytes: 2 ** 27 };
  const mnist = { channels: 1, height: 28, width: 28 };
  const cifar = { channels: 3, height: 32, width: 32 };
  const choose = (architecture: string, images: number, pairs: number, perPair = 11) => {
    const image = architecture.startsWith("lenet") ? mnist : cifar;
    const inputShape = [1, image.channels, image.height, image.width];
    const module = buildModule(architecture, image, 10);
    const student = { inputShape, multiplyAdds: module.multiplyAdds!(inputShape), linearStart: module.linearStart!() };
    return chooseBlendAt(scoringWork(student, images, pairs, perPair), lavapipe);
  };

  it("is after the first layer where that is much of the network's work", () => {
    expect(choose("lenet5-half", 2000, 100_000)).toBe("features");
    expect(choose("lenet5", 2000, 100_000)).toBe("features");
    for (const architecture of ["alexnet", "alexnet-half", "vgg16", "resnet20", "resnet18"]) {
      expect(choose(architecture, 500, 100_000), architecture).toBe("pixels");
    }
  });

  it("is at the pixels where there are not many more blends than images", () => {
    expect(choose("lenet5", 2000, 100)).toBe("pixels");
    expect(choose("lenet5", 2000, 300)).toBe("pixels");
    expect(choose("lenet5", 2000, 1000)).toBe("features");
  });

  it("is at the pixels where each pair is blended once", () => {
    expect(choose("lenet5-half", 2000, 1_000_000, 1)).toBe("pixels");
    expect(choose("lenet5-half", 2000, 1_000_000, 2)).toBe("features");
  });

  it("is at the pixels where the features of all images do not fit one binding", () => {
    const most = Math.floor(2 ** 27 / (4 * 6 * 24 * 24));
    expect(choose("lenet5", most, 1e9)).toBe("features");
    expect(choose("lenet5", most + 1, 1e9)).toBe("pixels");
  });

  it("is at the pixels where the student begins with no linear map", () => {
    const work = { images: 10, pairs: 500, perPair: 2, multiplyAdds: 100 };
    expect(chooseBlendAt(work, lavapipe)).toBe("pixels");
    expect(chooseBlendAt({ ...work, start: { multiplyAdds: 50, features: 5 } }, lavapipe)).toBe("features");
  });
});
