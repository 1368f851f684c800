import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blendFeatures, conv2d, maxPool2d, type BlendFeaturesOptions } from "../../src/kernels/index.js";
import { Philox, type Recorder, type Shape } from "../../src/tensor/index.js";
import { EXACT, expectClose, f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, expectSame, oddInput, randomInput, runKernel, type Input } from "./harness.js";

const devices = useDevices();

const u32 = (data: ArrayLike<number>): Input<"u32"> => ({ shape: [data.length], dtype: "u32", data });

/** P pairs out of n images, and a little past their end, each blended `perPair` times; the plain copies among them. */
function randomBlend(pairs: number, perPair: number, n: number, seed: number) {
  const random = new Philox(seed, 2);
  const weights = [0, 65536, 32768, 1, 65535, random.below(65537), random.below(65537)];
  const repeated = () =>
    Array.from({ length: pairs }, () => random.below(n + 1)).flatMap((image) => new Array<number>(perPair).fill(image));
  return {
    first: u32(repeated()),
    second: u32(repeated()),
    weight: u32(Array.from({ length: pairs * perPair }, () => weights[random.below(weights.length)])),
  };
}

/** Plans the last launch as for hardware. */
function asOnHardware({ launches }: Recorder): void {
  const launch = launches.pop()!;
  launches.push({ ...launch, plan: (capabilities) => launch.plan({ ...capabilities, software: false }) });
}

describe("blendFeatures", () => {
  it("agrees with the reference, at every window, with NaN and infinities, on hardware too", async () => {
    const problem = fc.record({
      n: fc.constantFrom(1, 2, 5),
      channels: fc.constantFrom(1, 3, 7),
      height: fc.constantFrom(1, 3, 8, 13),
      width: fc.constantFrom(1, 5, 8, 12),
      pairs: fc.constantFrom(1, 2, 9),
      perPair: fc.constantFrom(1, 2, 11),
      pool: fc.constantFrom(undefined, { kernel: 2, stride: 2 }, { kernel: 3, stride: 2 }, { kernel: 2, stride: 3 }),
      relu: fc.boolean(),
      hasBias: fc.boolean(),
      odd: fc.boolean(),
      hardware: fc.boolean(),
      seed: anySeed,
    });
    await fc.assert(
      fc.asyncProperty(problem, async (drawn) => {
        const { n, channels, height, width, pairs, perPair, pool, relu, hasBias, odd, hardware, seed } = drawn;
        const fits = pool && Math.min(height, width) >= pool.kernel;
        const input = odd ? oddInput : randomInput;
        await expectSame(
          devices,
          {
            features: input([n, channels, height, width], seed),
            bias: input([channels], seed + 1),
            ...randomBlend(pairs, perPair, n, seed),
          },
          (recorder, { features, bias, ...blend }) => {
            const out = blendFeatures(recorder, features, blend, {
              perPair,
              relu,
              bias: hasBias ? bias : undefined,
              pool: fits ? pool : undefined,
            });
            if (hardware) asOnHardware(recorder);
            return { out };
          },
          f32Tolerance(),
        );
      }),
      { numRuns: 100 },
    );
  });

  it("handles more elements than a workgroup takes", async () => {
    await expectSame(
      devices,
      { features: randomInput([3, 6, 24, 24], 1), ...randomBlend(31, 11, 3, 1) },
      (recorder, { features, ...blend }) => ({
        out: blendFeatures(recorder, features, blend, { perPair: 11, pool: { kernel: 2, stride: 2 } }),
      }),
      f32Tolerance(),
    );
  });

  it("is the convolution, with bias, ReLU and pooling, of blends of its inputs", async () => {
    const pool = { kernel: 2, stride: 2 };
    const [images, filters, bias] = [randomInput([3, 2, 9, 8], 1), randomInput([4, 2, 3, 3], 2), randomInput([4], 3)];
    const size = 2 * 9 * 8;
    const blends = { first: u32([0, 0, 1, 1]), second: u32([1, 1, 2, 2]), weight: u32([19661, 45875, 6554, 65536]) };
    const mixed = Float32Array.from({ length: 4 * size }, (_, index) => {
      const [blend, at] = [Math.floor(index / size), index % size];
      const share = blends.weight.data[blend] / 65536;
      const of = (numbers: Input) => images.data[numbers.data[blend] * size + at];
      return share * of(blends.first) + (1 - share) * of(blends.second);
    });
    const inputs = {
      ...{ images, filters, bias, ...blends },
      mixed: { shape: [4, 2, 9, 8], dtype: "f32", data: mixed } as Input<"f32">,
    };
    for (const device of [devices.cpu, devices.gpu]) {
      const { blended, expected } = await runKernel(device, inputs, (recorder, tensors) => {
        const { images, mixed, filters, bias, ...blend } = tensors;
        const features = conv2d(recorder, images, filters);
        return {
          blended: blendFeatures(recorder, features, blend, { perPair: 2, bias, relu: true, pool }),
          expected: maxPool2d(recorder, conv2d(recorder, mixed, filters, bias, { relu: true }), pool),
        };
      });
      expectClose(blended, expected, f32Tolerance(18));
    }
  });

  it("takes both images of a pair from its first blend, and the last image for a number past the end", async () => {
    const inputs = {
      features: { shape: [2, 1, 1, 2], dtype: "f32", data: [1, 2, 3, 4] } as Input<"f32">,
      first: u32([9, 0]),
      second: u32([0, 7]),
      weight: u32([65536, 0]),
    };
    for (const device of [devices.cpu, devices.gpu]) {
      const { out } = await runKernel(device, inputs, (recorder, { features, ...blend }) => ({
        out: blendFeatures(recorder, features, blend, { perPair: 2 }),
      }));
      expectClose(out, [3, 4, 1, 2], EXACT);
    }
  });

  it("says what does not fit", async () => {
    const attempt = (options: Partial<BlendFeaturesOptions>, shape: Shape = [2, 3, 4, 4]) =>
      runKernel(
        devices.cpu,
        { features: randomInput(shape, 1), bias: randomInput([2], 1), ...randomBlend(2, 3, 2, 1) },
        (recorder, { features, bias, ...blend }) => ({
          out: blendFeatures(recorder, features, blend, { perPair: 3, ...(options.relu ? { bias } : {}), ...options }),
        }),
      );
    await expect(attempt({ perPair: 4 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: blendFeatures: perPair is 4; expected a whole number that divides the 6 blends]`,
    );
    await expect(attempt({}, [2, 3, 4])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: blendFeatures: features is [2, 3, 4]; expected 4 axes (N C H W)]`,
    );
    await expect(attempt({ relu: true })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: blendFeatures: bias is [2]; expected [3]]`,
    );
    await expect(attempt({ pool: { kernel: 5, stride: 1 } })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: blendFeatures: x is [6, 3, 4, 4]; a window of 5 × 5 with padding 0 does not fit: use a smaller kernel or larger images]`,
    );
    await expect(attempt({ pool: { kernel: 2, stride: 0 } })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: blendFeatures: stride is 0; expected a whole number from 1 up]`,
    );
  });
});
