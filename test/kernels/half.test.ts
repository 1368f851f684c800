import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toFloat, toHalf } from "../../src/kernels/half/index.js";
import { createTensor, floatToHalf, halfToFloat, readTensor, record, Tensor } from "../../src/tensor/index.js";
import { EXACT } from "../close.js";
import { useDevices } from "../devices.js";
import { edgeSize, expectSame, runKernel, type Input } from "./harness.js";

const devices = useDevices();

const f32 = (data: ArrayLike<number>): Input<"f32"> => ({ shape: [data.length], dtype: "f32", data });
const f16 = (data: ArrayLike<number>): Input<"f16"> => ({ shape: [data.length], dtype: "f16", data });

/** All the numbers of 16 bits, NaN among them. */
const every = Float32Array.from({ length: 0x10000 }, (_, bits) => halfToFloat(bits));

/** An f32 by its bits. */
const fromBits = (bits: number) => new Float32Array(Uint32Array.of(bits).buffer)[0];

describe("toFloat and toHalf", () => {
  it("keep every number of 16 bits, its sign of zero too", async () => {
    const { floats, halves } = await runKernel(devices.gpu, { x: f16(every) }, (recorder, { x }) => {
      const floats = toFloat(recorder, x);
      return { floats, halves: toHalf(recorder, floats) };
    });
    expect(floats).toEqual(every);
    expect(halves).toEqual(every);
  });

  it("round as the reference does around all 16-bit numbers and halfway between them", async () => {
    const values: number[] = [];
    for (let bits = 0; bits < 0x7c00; bits++) {
      const [low, high] = [every[bits], bits === 0x7bff ? 65536 : every[bits + 1]];
      const word = new Uint32Array(Float32Array.of((low + high) / 2).buffer)[0];
      values.push(fromBits(word - 1), fromBits(word), fromBits(word + 1));
    }
    const { halves } = await runKernel(
      devices.gpu,
      { x: f32([...values, ...values.map((x) => -x)]) },
      (recorder, { x }) => ({
        halves: toHalf(recorder, x),
      }),
    );
    const expected = values.map((value) => halfToFloat(floatToHalf(value)));
    expect([...halves]).toEqual([...expected, ...expected.map((x) => -x)]);
  });

  it("agree with the reference on any f32 and at the edges of a workgroup, into a given tensor too", async () => {
    const any = fc.nat(0xffffffff).map(fromBits);
    const data = edgeSize(512).chain((size) => fc.array(any, { minLength: size, maxLength: size }));
    await fc.assert(
      fc.asyncProperty(data, async (data) => {
        const inputs = { x: f32(data), out: f16(data.map(() => 7)) };
        await expectSame(
          devices,
          inputs,
          (recorder, { x, out }) => {
            expect(toHalf(recorder, x, { out })).toBe(out);
            return { out, again: toFloat(recorder, out) };
          },
          EXACT,
        );
      }),
      { numRuns: 30 },
    );
  });

  it("leave the rest of the last word 0 where the elements are odd in number", async () => {
    const out = createTensor(devices.gpu, [3], { dtype: "f16", data: [7, 7, 7] });
    const x = createTensor(devices.gpu, [3], { data: [1, 2, 3] });
    const recording = await record(devices.gpu, (recorder) => {
      toHalf(recorder, x, { out });
    });
    recording.run();
    expect([...(await readTensor(new Tensor(out.block, [2], "u32")))]).toEqual([0x40003c00, 0x4200]);
    recording.dispose();
    for (const tensor of [out, x]) tensor.dispose();
  });

  it("say what they take", async () => {
    const x = createTensor(devices.cpu, [2], { name: "x" });
    const half = createTensor(devices.cpu, [3], { dtype: "f16", name: "half" });
    await record(devices.cpu, (recorder) => {
      expect(() => toHalf(recorder, half as never)).toThrow('toHalf: x ("half") holds f16; expected f32');
      expect(() => toFloat(recorder, x as never)).toThrow('toFloat: x ("x") holds f32; expected f16');
      expect(() => toHalf(recorder, x, { out: half })).toThrow("toHalf: out is [3]; expected [2]");
      expect(() => toHalf(recorder, x, { out: x as never })).toThrow('toHalf: out ("x") holds f32; expected f16');
    });
    for (const tensor of [x, half]) tensor.dispose();
  });
});
