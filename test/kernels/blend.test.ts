import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blend, blendReference } from "../../src/kernels/mixup/index.js";
import { createTensor, Philox, readTensor, record, Recorder, type Device } from "../../src/tensor/index.js";
import { expectClose, f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, expectSame, oddInput, randomInput, type Input } from "./harness.js";

const devices = useDevices();

/** The device, as one that binds no more than 4096 bytes, at multiples of 256. */
function smallBindings(device: Device): Device {
  const capabilities = { ...device.capabilities, bindingBytes: 4096, offsetAlignment: 256 };
  return new Proxy(device, {
    get: (target, key) => (key === "capabilities" ? capabilities : (Reflect.get(target, key, target) as unknown)),
  });
}

describe("blend", () => {
  const shares = (rows: number, seed: number): Input<"f32"> => {
    const random = new Philox(seed, 2);
    const data = Float32Array.from({ length: rows }, () => [0, 1, random.float(), random.float()][random.below(4)]);
    return { shape: [rows], dtype: "f32", data };
  };

  it("agrees with the reference, with NaN and infinities too", async () => {
    const problem = fc.record({
      rows: fc.constantFrom(1, 2, 3, 7),
      row: fc.constantFrom([], [1], [1023], [1024], [1025], [4], [4092], [4096], [4100], [2, 3, 341], [2049]),
      odd: fc.boolean(),
      seed: anySeed,
    });
    await fc.assert(
      fc.asyncProperty(problem, async ({ rows, row, odd, seed }) => {
        const input = odd ? oddInput : randomInput;
        await expectSame(
          devices,
          { a: input([rows, ...row], seed), b: input([rows, ...row], seed + 1), weights: shares(rows, seed) },
          (recorder, { a, b, weights }) => ({ out: blend(recorder, a, b, weights) }),
          f32Tolerance(),
        );
      }),
      { numRuns: 40 },
    );
  });

  it("splits what is larger than a binding at whole rows that may be bound", async () => {
    const device = smallBindings(devices.gpu);
    const tensor = (shape: number[], seed: number) =>
      createTensor(device, shape, { data: randomInput(shape, seed).data });
    const [a, b, weights, out] = [[70, 26], [70, 26], [70], [70, 26]].map(tensor);
    const recording = await record(device, (recorder) => blend(recorder, a, b, weights, { out }));
    // Parts of 32 rows of 104 bytes.
    expect(recording.launches.map(({ writes }) => [writes[0].byteOffset, writes[0].shape])).toEqual([
      [0, [32, 26]],
      [3328, [32, 26]],
      [6656, [6, 26]],
    ]);
    recording.run();
    const expected = new Float32Array(70 * 26);
    const values = await Promise.all([a, b, weights].map((input) => readTensor(input)));
    blendReference(values[0], values[1], values[2], expected, 0, 26);
    expectClose(await readTensor(out), expected, f32Tolerance());

    // All of them fit: no part has to begin where one may.
    const odd = createTensor(device, [3, 341]);
    const three = createTensor(device, [3]);
    const whole = await record(device, (recorder) => blend(recorder, odd, odd, three));
    expect(whole.launches.map(({ writes }) => writes[0].shape)).toEqual([[3, 341]]);
    for (const one of [whole, odd, three]) one.dispose();

    const wide = createTensor(device, [2, 1025]);
    const recorder = new Recorder(device);
    expect(() => blend(recorder, wide, wide, weights)).toThrow(/blend: weights is/);
    expect(() => blend(recorder, wide, wide, createTensor(device, [2]))).toThrowErrorMatchingInlineSnapshot(
      `[DeviceError: blend: 64 rows of 4100 bytes are more than a binding's 4096]`,
    );
    recording.dispose();
  });

  it("names what does not fit", () => {
    const recorder = new Recorder(devices.cpu);
    const x = (...shape: number[]) => recorder.temporary(shape, "x");
    expect(() => blend(recorder, x(2, 3), x(2, 4), x(2))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: blend: b is [2, 4]; expected [2, 3]]`,
    );
    expect(() => blend(recorder, x(2, 3), x(2, 3), x(3))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: blend: weights is [3]; expected [2]]`,
    );
    expect(() => blend(recorder, x(2, 3), x(2, 3), x(2, 1))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: blend: weights is [2, 1]; expected 1 axes (B)]`,
    );
  });
});
