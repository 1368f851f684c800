import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blendPixelsReference, type Blend } from "../../../src/kernels/mixup/index.js";
import {
  AFFINE_WORDS,
  composeImages,
  composeOnHost,
  WARP_WORDS,
  warpBlends,
  warpWords,
} from "../../../src/kernels/warp/index.js";
import { createTensor, type DType, type Shape, type Tensor } from "../../../src/tensor/index.js";
import { EXACT } from "../../close.js";
import { useDevices } from "../../devices.js";
import { expectSame, runKernel } from "../harness.js";
import {
  STILL,
  WILD,
  asTheyAre,
  u32,
  randomImages,
  randomBlend,
  randomBoxes,
  problem,
  draws,
  warped,
} from "./inputs.js";

const devices = useDevices();

describe("composeImages", () => {
  it("shows the reference's very pixels", async () => {
    await fc.assert(
      fc.asyncProperty(problem, async ({ n, channels, height, width, batch, seed, ranges }) => {
        await expectSame(
          devices,
          {
            images: randomImages([n, channels, height, width], seed),
            ...randomBlend(batch, n, seed),
            box: randomBoxes(batch, height, width, seed),
            warps: u32(draws(2 * batch, ranges, seed), [2 * batch, warpWords(ranges)]),
          },
          (recorder, { images, ...composition }) => ({
            out: composeImages(recorder, images, composition, asTheyAre(channels)),
          }),
          EXACT,
        );
      }),
      { numRuns: 60 },
    );
  });

  const images = randomImages([5, 3, 7, 9], 8);
  const pixels = images.data as Uint8Array;
  const size = 3 * 7 * 9;
  const host = (batch: number) => {
    const { first, second, weight } = randomBlend(batch, 5, 8);
    return { first: first.data, second: second.data, weight: weight.data } as {
      [Name in keyof Blend]: Uint32Array;
    };
  };

  it("is blendPixels where nothing is warped and there is no box", () => {
    const expected = new Uint8Array(20 * size);
    blendPixelsReference(pixels, host(20), expected, size);
    expect(composeOnHost(pixels, [3, 7, 9], { ...host(20), box: new Uint32Array(40) }, draws(40, STILL))).toEqual(
      expected,
    );
  });

  it("warps each image by its own row, before they are blended", () => {
    const { first, second, weight } = host(20);
    const warps = draws(40, WILD);
    const expected = new Uint8Array(20 * size);
    for (let b = 0; b < 20; b++) {
      const one = (image: number, row: number) => {
        const at = Math.min(image, 4) * size;
        const data = pixels.slice(at, at + size);
        return warped(
          { shape: [1, 3, 7, 9], dtype: "u8", data },
          warps.slice(row * WARP_WORDS, (row + 1) * WARP_WORDS),
        );
      };
      const both = Uint8Array.of(...one(first[b], 2 * b), ...one(second[b], 2 * b + 1));
      const blend = { first: Uint32Array.of(0), second: Uint32Array.of(1), weight: weight.slice(b, b + 1) };
      blendPixelsReference(both, blend, expected.subarray(b * size, (b + 1) * size), size);
    }
    expect(composeOnHost(pixels, [3, 7, 9], { first, second, weight, box: new Uint32Array(40) }, warps)).toEqual(
      expected,
    );
  });

  it("shows the second image alone within the box, whose ends are left out", () => {
    const composition = {
      first: Uint32Array.of(0),
      second: Uint32Array.of(3),
      weight: Uint32Array.of(65536),
      box: Uint32Array.of(2 | (5 << 16), 4 | (9 << 16)),
    };
    const expected = Array.from({ length: size }, (_, index) => {
      const [y, x] = [Math.floor(index / 9) % 7, index % 9];
      return pixels[(y >= 2 && y < 5 && x >= 4 && x < 9 ? 3 : 0) * size + index];
    });
    expect([...composeOnHost(pixels, [3, 7, 9], composition, draws(2, STILL))]).toEqual(expected);
  });
});

describe("warpBlends and composeImages", () => {
  it("say what does not fit", async () => {
    const tensor = <D extends DType>(shape: Shape, dtype: D) => createTensor(devices.cpu, shape, { dtype, name: "t" });
    const good = {
      images: tensor([4, 3, 8, 8], "u8") as Tensor,
      first: tensor([2], "u32") as Tensor,
      second: tensor([2], "u32") as Tensor,
      weight: tensor([2], "u32") as Tensor,
      box: tensor([2, 2], "u32") as Tensor,
      mean: [0, 0, 0],
      std: [1, 1, 1],
    };
    const errors = async (changed: Partial<typeof good> & { warps?: Tensor }) => {
      const { images, mean, std, warps, box, ...blend } = { ...good, ...changed } as typeof changed & {
        images: Tensor<"u8">;
        mean: number[];
        std: number[];
        box: Tensor<"u32">;
      } & Blend;
      const rows = (count: number) => (warps ?? tensor([count, AFFINE_WORDS], "u32")) as Tensor<"u32">;
      const attempts = [
        runKernel(devices.cpu, {}, (recorder) => ({
          out: warpBlends(recorder, images, blend, rows(2), { mean, std }),
        })),
        runKernel(devices.cpu, {}, (recorder) => ({
          out: composeImages(recorder, images, { ...blend, box, warps: rows(4) }, { mean, std }),
        })),
      ];
      const results = await Promise.allSettled(attempts);
      return results.map((result) => (result.status === "rejected" ? String(result.reason) : "no error"));
    };
    expect([
      await errors({}),
      await errors({ images: tensor([3, 8, 8], "u8") }),
      await errors({ images: tensor([4, 3, 8, 8], "f32") }),
      await errors({ images: tensor([1, 3, 1, 4097], "u8") }),
      await errors({ images: tensor([1, 5, 1, 1], "u8") }),
      await errors({ second: tensor([3], "u32") }),
      await errors({ weight: tensor([2], "f32") }),
      await errors({ mean: [0] }),
      await errors({ std: [1, 0, 1] }),
      await errors({ warps: tensor([3, AFFINE_WORDS], "u32") }),
      await errors({ warps: tensor([2, AFFINE_WORDS + 1], "u32") }),
      await errors({ warps: tensor([2], "u32") }),
      await errors({ warps: tensor([2, AFFINE_WORDS], "f32") }),
      await errors({ box: tensor([2], "u32") }),
      await errors({ box: tensor([2, 2], "f32") }),
    ]).toMatchInlineSnapshot(`
      [
        [
          "no error",
          "no error",
        ],
        [
          "ShapeError: warpBlends: images is [3, 8, 8]; expected 4 axes (N C H W)",
          "ShapeError: composeImages: images is [3, 8, 8]; expected 4 axes (N C H W)",
        ],
        [
          "DTypeError: warpBlends: images ("t") holds f32; expected u8",
          "DTypeError: composeImages: images ("t") holds f32; expected u8",
        ],
        [
          "ShapeError: warpBlends: images are 1 × 4097 pixels; expected sides of at most 4096",
          "ShapeError: composeImages: images are 1 × 4097 pixels; expected sides of at most 4096",
        ],
        [
          "ShapeError: warpBlends: images have 5 channels; expected 1 to 4",
          "ShapeError: composeImages: images have 5 channels; expected 1 to 4",
        ],
        [
          "ShapeError: warpBlends: second is [3]; expected [2]",
          "ShapeError: composeImages: second is [3]; expected [2]",
        ],
        [
          "DTypeError: warpBlends: weight ("t") holds f32; expected u32",
          "DTypeError: composeImages: weight ("t") holds f32; expected u32",
        ],
        [
          "ShapeError: warpBlends: mean is [0]; expected 3 numbers, one a channel",
          "ShapeError: composeImages: mean is [0]; expected 3 numbers, one a channel",
        ],
        [
          "InputError: warpBlends: std is [1, 0, 1]; expected numbers above 0",
          "InputError: composeImages: std is [1, 0, 1]; expected numbers above 0",
        ],
        [
          "ShapeError: warpBlends: warps is [3, 8]; expected [2, 8] or [2, 58]",
          "ShapeError: composeImages: warps is [3, 8]; expected [4, 8] or [4, 58]",
        ],
        [
          "ShapeError: warpBlends: warps is [2, 9]; expected [2, 8] or [2, 58]",
          "ShapeError: composeImages: warps is [2, 9]; expected [4, 8] or [4, 58]",
        ],
        [
          "ShapeError: warpBlends: warps is [2]; expected 2 axes (B words)",
          "ShapeError: composeImages: warps is [2]; expected 2 axes (B words)",
        ],
        [
          "DTypeError: warpBlends: warps ("t") holds f32; expected u32",
          "DTypeError: composeImages: warps ("t") holds f32; expected u32",
        ],
        [
          "no error",
          "ShapeError: composeImages: box is [2]; expected [2, 2]",
        ],
        [
          "no error",
          "DTypeError: composeImages: box ("t") holds f32; expected u32",
        ],
      ]
    `);
    expect(() =>
      composeOnHost(
        new Uint8Array(4097),
        [1, 1, 4097],
        { first: new Uint32Array(1), second: new Uint32Array(1), weight: new Uint32Array(1), box: new Uint32Array(2) },
        draws(2, STILL),
      ),
    ).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: composeOnHost: images are 1 × 4097 pixels; expected sides of at most 4096]`,
    );
  });
});
