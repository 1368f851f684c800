import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createTensor,
  DeviceError,
  expectDType,
  expectRank,
  expectShape,
  halfToFloat,
  readTensor,
  reshape,
  sizeOf,
  slice,
  writeTensor,
} from "../../src/tensor/index.js";
import { useDevices } from "../devices.js";

const devices = useDevices();

const f32Bits = (values: ArrayLike<number>) => [...new Uint32Array(Float32Array.from(values).buffer)];

describe.each(["cpu", "gpu"] as const)("a tensor, device %s", (name) => {
  it.each(["f32", "u32", "i32", "u8"] as const)("gives back the %s values written, of every length", async (dtype) => {
    const range = {
      f32: fc.float(),
      u32: fc.integer({ min: 0, max: 0xffffffff }),
      i32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      u8: fc.nat(255),
    }[dtype];
    await fc.assert(
      fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 40 }), async (data) => {
        const tensor = createTensor(devices[name], [data.length], { dtype, data });
        const values = await readTensor(tensor);
        expect(values.length).toBe(data.length);
        expect(tensor.bytes % 4).toBe(0);
        if (dtype === "f32") expect(f32Bits(values)).toEqual(f32Bits(data));
        else expect([...values]).toEqual(data);
        tensor.dispose();
      }),
      { numRuns: 25 },
    );
  });

  it("is zero where nothing was written, in poisoned memory too", async () => {
    for (const dtype of ["f32", "f16", "u8"] as const) {
      const tensor = createTensor(devices[name], [7], { dtype });
      expect([...(await readTensor(tensor))]).toEqual(Array(7).fill(0));
      tensor.dispose();
    }
  });

  it("is zero behind the values that it starts with", async () => {
    for (const dtype of ["f32", "f16", "u8", "i32"] as const) {
      const tensor = createTensor(devices[name], [7], { dtype, data: [1, 2] });
      expect([...(await readTensor(tensor))]).toEqual([1, 2, 0, 0, 0, 0, 0]);
      tensor.dispose();
    }
  });

  it("has a shape of its own", async () => {
    const shape = [2, 2];
    const tensor = createTensor(devices[name], shape, { data: [1, 2, 3, 4] });
    const flat = [4];
    const view = reshape(tensor, flat);
    shape[0] = flat[0] = 8;
    expect([tensor.shape, view.shape, tensor.size]).toEqual([[2, 2], [4], 4]);
    expect([...(await readTensor(tensor))]).toEqual([1, 2, 3, 4]);
    tensor.dispose();
  });

  it("says so where there is no such memory", () => {
    expect(() => createTensor(devices[name], [2 ** 50], { name: "everything" })).toThrow(DeviceError);
    expect(() => createTensor(devices[name], [2 ** 50], { name: "everything" })).toThrow(
      /^"everything" needs 4503599627370496 bytes[;,] /,
    );
  });

  it("keeps what a shorter write does not reach, but for the rest of a u8 word", async () => {
    const words = createTensor(devices[name], [5], { dtype: "u32", data: [1, 2, 3, 4, 5] });
    writeTensor(words, [9, 8]);
    expect([...(await readTensor(words))]).toEqual([9, 8, 3, 4, 5]);
    writeTensor(words, []);
    expect([...(await readTensor(words))]).toEqual([9, 8, 3, 4, 5]);

    const bytes = createTensor(devices[name], [11], { dtype: "u8", data: Array(11).fill(7) as number[] });
    writeTensor(bytes, [1, 2, 3, 4, 5]);
    expect([...(await readTensor(bytes))]).toEqual([1, 2, 3, 4, 5, 0, 0, 0, 7, 7, 7]);
    writeTensor(bytes, Array(11).fill(6) as number[]);
    expect([...(await readTensor(bytes))]).toEqual(Array(11).fill(6));

    const halves = createTensor(devices[name], [5], { dtype: "f16", data: Array(5).fill(7) as number[] });
    writeTensor(halves, [1]);
    expect([...(await readTensor(halves))]).toEqual([1, 0, 7, 7, 7]);
    for (const tensor of [words, bytes, halves]) tensor.dispose();
  });

  it("takes f16 as numbers, rounds them, and gives them back as numbers", async () => {
    const data = [0.1, 1 / 3, -2049, 65519, 65520, -Infinity, NaN, -0, 2 ** -24, 1e-9];
    const tensor = createTensor(devices[name], [10], { dtype: "f16", data });
    expect(tensor.bytes).toBe(20);
    const values = await readTensor(tensor);
    expect(values).toBeInstanceOf(Float32Array);
    expect([...values]).toEqual([
      0.0999755859375,
      0.333251953125,
      -2048,
      65504,
      Infinity,
      -Infinity,
      NaN,
      -0,
      2 ** -24,
      0,
    ]);
    tensor.dispose();
  });

  it("gives back the f16 values written, of every length, in two bytes each", async () => {
    const half = fc.nat(0xffff).map(halfToFloat);
    await fc.assert(
      fc.asyncProperty(fc.array(half, { minLength: 1, maxLength: 40 }), async (data) => {
        const tensor = createTensor(devices[name], [data.length], { dtype: "f16", data });
        expect(tensor.bytes).toBe(4 * Math.ceil(data.length / 2));
        expect([...(await readTensor(tensor))]).toEqual(data);
        tensor.dispose();
      }),
      { numRuns: 25 },
    );
  });

  it("shows its memory through views of other shapes and of parts", async () => {
    const whole = createTensor(devices[name], [3, 4], { dtype: "u32", data: [...Array(12).keys()] });
    const turned = reshape(whole, [2, 6]);
    const part = slice(whole, 5, [2, 2], "part");
    expect([turned.shape, part.shape, part.name]).toEqual([[2, 6], [2, 2], "part"]);
    expect([...(await readTensor(part))]).toEqual([5, 6, 7, 8]);
    writeTensor(slice(part, 1, [2]), [60, 70]);
    expect([...(await readTensor(turned))]).toEqual([0, 1, 2, 3, 4, 5, 60, 70, 8, 9, 10, 11]);

    const bytes = createTensor(devices[name], [10], { dtype: "u8", data: [...Array(10).keys()] });
    expect([...(await readTensor(slice(bytes, 4, [5])))]).toEqual([4, 5, 6, 7, 8]);

    const halves = createTensor(devices[name], [6], { dtype: "f16", data: [...Array(6).keys()] });
    expect([...(await readTensor(slice(halves, 2, [3])))]).toEqual([2, 3, 4]);

    // Whole words are written, on every device: what is behind the part in its last word is cleared with it.
    const sevens = createTensor(devices[name], [12], { dtype: "u8", data: Array<number>(12).fill(7) });
    writeTensor(slice(sevens, 4, [5]), [1, 2, 3, 4, 5]);
    expect([...(await readTensor(sevens))]).toEqual([7, 7, 7, 7, 1, 2, 3, 4, 5, 0, 0, 0]);
    for (const tensor of [whole, bytes, halves, sevens]) tensor.dispose();
  });

  it("takes no memory where its values do not fit", () => {
    const before = devices[name].stats();
    expect(() => createTensor(devices[name], [2], { name: "pair", data: [1, 2, 3] })).toThrow(
      'write: 3 values into "pair" [2]; it takes at most 2',
    );
    expect(devices[name].stats()).toMatchObject({ liveBuffers: before.liveBuffers, liveBytes: before.liveBytes });
  });

  it("is disposed of once, with its views, and named when it is used afterwards", async () => {
    const before = devices[name].stats();
    const tensor = createTensor(devices[name], [2, 3], { name: "weights" });
    const view = reshape(tensor, [6]);
    expect(devices[name].stats()).toMatchObject({
      liveBuffers: before.liveBuffers + 1,
      liveBytes: before.liveBytes + 24,
    });
    view.dispose();
    tensor.dispose();
    expect(devices[name].stats()).toMatchObject({ liveBuffers: before.liveBuffers, liveBytes: before.liveBytes });
    const message = `tensor "weights" [2, 3] was disposed; keep it until its last use`;
    await expect(readTensor(tensor)).rejects.toThrow(message);
    expect(() => {
      writeTensor(tensor, [1]);
    }).toThrow(message);
  });
});

describe("the contracts of tensors", () => {
  it("say what does not fit", () => {
    const tensor = createTensor(devices.cpu, [2, 3], { name: "weights" });
    const images = createTensor(devices.cpu, [12], { dtype: "u8", name: "images" });
    const halves = createTensor(devices.cpu, [12], { dtype: "f16", name: "halves" });
    expect(() => reshape(tensor, [4])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: reshape: "weights" is [2, 3] with 6 elements; [4] has 4]`,
    );
    expect(() => slice(tensor, 4, [3])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: slice: elements 4 to 7 of "weights", which has 6]`,
    );
    expect(() => slice(tensor, -1, [3])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: slice: elements -1 to 2 of "weights", which has 6]`,
    );
    expect(() => slice(images, 3, [4])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: slice: element 3 of "images" (u8) is inside a 32-bit word; start at a multiple of 4]`,
    );
    expect(() => slice(halves, 3, [4])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: slice: element 3 of "halves" (f16) is inside a 32-bit word; start at a multiple of 2]`,
    );
    expect(() => {
      writeTensor(tensor, new Float32Array(7));
    }).toThrowErrorMatchingInlineSnapshot(`[ShapeError: write: 7 values into "weights" [2, 3]; it takes at most 6]`);
    expect(() => {
      expectDType("blend", "images", tensor, "u8");
    }).toThrowErrorMatchingInlineSnapshot(`[DTypeError: blend: images ("weights") holds f32; expected u8]`);
    expect(() => createTensor(devices.cpu, [2, 0])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: shape [2, 0]: axis 1 is 0; expected a whole number from 1 up]`,
    );
    expect(() => sizeOf([2 ** 30, 2 ** 30])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: shape [1073741824, 1073741824]: too many elements]`,
    );
    expect(() => {
      expectShape("add", "b", [2, 3], [3, 2]);
    }).toThrowErrorMatchingInlineSnapshot(`[ShapeError: add: b is [2, 3]; expected [3, 2]]`);
    expect(() => {
      expectRank("conv2d", "x", [2, 3], "N C H W");
    }).toThrowErrorMatchingInlineSnapshot(`[ShapeError: conv2d: x is [2, 3]; expected 4 axes (N C H W)]`);
  });
});
