import { afterAll, beforeAll, describe, it } from "vitest";
import {
  conv2d,
  conv2dInputGradient,
  conv2dWeightGradient,
  type Conv2dVariant,
} from "../../src/kernels/conv2d/index.js";
import { matmulHalf } from "../../src/kernels/matmul-half/index.js";
import { matmul, type MatmulVariant } from "../../src/kernels/matmul/index.js";
import { blendImages, blendPixels } from "../../src/kernels/mixup/index.js";
import { AFFINE_WORDS, composeImages, warpBlends } from "../../src/kernels/warp/index.js";
import { selectLowest } from "../../src/kernels/select/index.js";
import { openDevice, Philox, reshape, slice, type Device, type Shape } from "../../src/tensor/index.js";
import { EXACT, f32Tolerance } from "../close.js";
import type { Devices } from "../devices.js";
import { expectSame, halfInput, randomInput, type Input } from "./harness.js";

/** The CPU reference, and a WebGPU device that neither clears workgroup memory nor keeps reads within their buffers. */
const devices = {} as { -readonly [Name in keyof Devices]: Device };

beforeAll(async () => {
  devices.cpu = await openDevice("cpu", { poison: true });
  devices.gpu = await openDevice("webgpu", { poison: true, profile: "fast" });
});

afterAll(() => {
  devices.cpu.destroy();
  devices.gpu.destroy();
});

const u32 = (data: ArrayLike<number>): Input<"u32"> => ({ shape: [data.length], dtype: "u32", data });

function randomImages(shape: Shape): Input<"u8"> {
  const random = new Philox(3);
  const size = shape.reduce((product, length) => product * length, 1);
  return { shape, dtype: "u8", data: Uint8Array.from({ length: size }, () => random.below(256)) };
}

describe("without the safety net of the profile `safe`", () => {
  it("selectLowest counts from 0 in every workgroup", async () => {
    // Several blocks, so that workgroups follow one another in the same memory.
    const scores = randomInput([100_000], 1);
    await expectSame(
      devices,
      { scores },
      (recorder, tensors) => ({
        few: selectLowest(recorder, tensors.scores, 777).indices,
        most: selectLowest(recorder, tensors.scores, 99_000).indices,
      }),
      EXACT,
    );
  });

  it("blends read no pixel outside the images", async () => {
    const blend = { first: u32([0, 2, 0, 2, 1, 9]), second: u32([0, 2, 2, 0, 0, 1]) };
    const weight = u32([65536, 32768, 1, 65535, 0, 12345]);
    for (const [seed, flip] of [false, true, false, true].entries()) {
      await expectSame(
        devices,
        { images: randomImages([3, 1, 7, 5]), ...blend, weight, counter: u32([seed]) },
        (recorder, { images, counter, ...blend }) => ({
          pixels: blendPixels(recorder, images, blend),
          images: blendImages(recorder, images, blend, {
            mean: [0.5],
            std: [0.25],
            augment: { crop: 4, flip, seed, counter },
          }),
        }),
        { pixels: EXACT, images: f32Tolerance() },
      );
    }
  });

  it("warps read no pixel outside the images, however far they lead", async () => {
    const random = new Philox(8);
    const words = Uint32Array.from({ length: 12 * AFFINE_WORDS }, () => random.uint32());
    const blend = { first: u32([0, 2, 0, 2, 1, 9]), second: u32([0, 2, 2, 0, 0, 1]) };
    const weight = u32([65536, 32768, 1, 65535, 0, 12345]);
    const boxes = [0, 0, 7 << 16, 5 << 16, 0xffff0000, 0xffff0000, 2, 3, 3 << 16, 5 << 16, 0, 0];
    await expectSame(
      devices,
      { images: randomImages([3, 1, 7, 5]), ...blend, weight, boxes: u32(boxes), words: u32(words) },
      (recorder, { images, boxes, words, ...blend }) => {
        const box = reshape(boxes, [6, 2]);
        const warps = reshape(words, [12, AFFINE_WORDS]);
        const halfOfThem = slice(words, 0, [6, AFFINE_WORDS]);
        return {
          warped: warpBlends(recorder, images, blend, halfOfThem, { mean: [0], std: [1 / 255] }),
          composed: composeImages(recorder, images, { ...blend, box, warps }, { mean: [0], std: [1 / 255] }),
        };
      },
      EXACT,
    );
  });

  it.each<MatmulVariant | undefined>([undefined, "tiled-128x128", "tiled-32x32", "few-rows", "few-results"])(
    "matmul, variant %s",
    async (variant) => {
      await expectSame(
        devices,
        { a: randomInput([67, 33], 1), b: randomInput([33, 20], 2), bias: randomInput([20], 3) },
        (recorder, { a, b, bias }) => ({ c: matmul(recorder, a, b, bias, { variant }) }),
        f32Tolerance(33),
      );
    },
  );

  it.each([false, true])("matmulHalf, transposed: %s", async (transpose) => {
    const [a, b] = transpose
      ? [
          [33, 67],
          [20, 33],
        ]
      : [
          [67, 33],
          [33, 20],
        ];
    const variant = devices.gpu.capabilities.f16 ? "tiled-64x64" : "widened";
    await expectSame(
      devices,
      { a: halfInput(randomInput(a, 1)), b: halfInput(randomInput(b, 2)), bias: randomInput([20], 3) },
      (recorder, { a, b, bias }) => ({
        c: matmulHalf(recorder, a, b, bias, { transposeA: transpose, transposeB: transpose, variant }),
      }),
      f32Tolerance(33),
    );
  });

  it.each<Conv2dVariant | undefined>([undefined, "tiled-128x128", "tiled-32x32", "few-channels"])(
    "conv2d, variant %s",
    async (variant) => {
      await expectSame(
        devices,
        { x: randomInput([3, 3, 9, 11], 1), weight: randomInput([5, 3, 3, 3], 2), bias: randomInput([5], 3) },
        (recorder, { x, weight, bias }) => ({
          out: conv2d(recorder, x, weight, bias, { stride: 2, padding: 1, variant }),
        }),
        f32Tolerance(27),
      );
    },
  );

  it.each<Conv2dVariant | undefined>([undefined, "tiled-32x32"])("conv2d's gradients, variant %s", async (variant) => {
    await expectSame(
      devices,
      { x: randomInput([17, 3, 9, 11], 1), weight: randomInput([5, 3, 3, 3], 2), dOut: randomInput([17, 5, 5, 6], 3) },
      (recorder, { x, weight, dOut }) => ({
        dX: conv2dInputGradient(recorder, dOut, weight, x.shape, { stride: 2, padding: 1, variant }),
        dWeight: conv2dWeightGradient(recorder, x, dOut, weight.shape, { stride: 2, padding: 1, variant }),
      }),
      f32Tolerance(510),
    );
  });
});
