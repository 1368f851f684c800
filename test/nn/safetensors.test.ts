import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError, ShapeError } from "../../src/errors.js";
import { decodeSafetensors, encodeSafetensors, type SafetensorsFile } from "../../src/nn/safetensors.js";
import { sizeOf } from "../../src/tensor/index.js";

/** A file of this header, as it stands or as JSON, and of these bytes of data. */
function file(header: unknown, data: Uint8Array | number = 0): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const values = typeof data === "number" ? new Uint8Array(data) : data;
  const bytes = new Uint8Array(8 + text.length + values.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(values, 8 + text.length);
  return bytes;
}

function headerOf(bytes: Uint8Array): string {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  return new TextDecoder().decode(bytes.subarray(8, 8 + length));
}

const f32 = (shape: unknown, begin: unknown, end: unknown) => ({ dtype: "F32", shape, data_offsets: [begin, end] });

/** Bits, so that NaNs and the sign of 0 count. */
const bitsOf = (data: Float32Array) => [...new Uint32Array(data.buffer, data.byteOffset, data.length)];

const tensorArbitrary = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    data: fc.float32Array({ minLength: sizeOf(shape), maxLength: sizeOf(shape) }),
  }),
);
const text = fc.string({ unit: "binary" });
const tensorsArbitrary = fc
  .array(fc.tuple(fc.oneof(text, fc.constantFrom("0", "7", "__proto__", "constructor")), tensorArbitrary), {
    maxLength: 6,
  })
  .map((entries) => new Map(entries));
const metadataArbitrary = fc
  .array(fc.tuple(fc.oneof(text, fc.constant("__proto__")), text), { maxLength: 4 })
  .map((entries) => Object.fromEntries(entries) as Record<string, string>);

describe("encodeSafetensors", () => {
  it("writes length, padded header and data, byte for byte", () => {
    const bytes = encodeSafetensors(new Map([["w", { shape: [2], data: Float32Array.of(1, -2) }]]), { a: "b" });
    const header = '{"__metadata__":{"a":"b"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
    const length = Math.ceil(header.length / 8) * 8;
    expect([...bytes]).toEqual([
      ...[length, 0, 0, 0, 0, 0, 0, 0],
      ...new TextEncoder().encode(header.padEnd(length)),
      ...[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0],
    ]);
  });

  it("keeps the order, of names that are numbers too, and aligns the data to 8", () => {
    fc.assert(
      fc.property(tensorsArbitrary, metadataArbitrary, (tensors, metadata) => {
        const bytes = encodeSafetensors(tensors, metadata);
        const header = headerOf(bytes);
        expect(header.startsWith("{")).toBe(true);
        expect(new DataView(bytes.buffer).getUint32(0, true) % 8).toBe(0);
        expect([...decodeSafetensors(bytes, "f").tensors.keys()]).toEqual([...tensors.keys()]);
      }),
    );
  });

  it("refuses data of another size than the shape, and a tensor called __metadata__", () => {
    const of = (name: string, length: number) => new Map([[name, { shape: [2, 3], data: new Float32Array(length) }]]);
    expect(() => encodeSafetensors(of("fc.weight", 5), {})).toThrow(ShapeError);
    expect(() => encodeSafetensors(of("fc.weight", 5), {})).toThrow('"fc.weight" of shape [2, 3] has 5 elements');
    expect(() => encodeSafetensors(of("__metadata__", 6), {})).toThrow(InputError);
  });
});

describe("decodeSafetensors", () => {
  it("gives back what was written, bit for bit", () => {
    fc.assert(
      fc.property(tensorsArbitrary, metadataArbitrary, (tensors, metadata) => {
        const decoded = decodeSafetensors(encodeSafetensors(tensors, metadata), "f");
        expect(Object.entries(decoded.metadata)).toEqual(Object.entries(metadata));
        expect(decoded.tensors.size).toBe(tensors.size);
        for (const [name, { shape, data }] of tensors) {
          const tensor = decoded.tensors.get(name)!;
          expect(tensor.dtype).toBe("F32");
          expect(tensor.shape).toEqual(shape);
          expect(bitsOf(tensor.data)).toEqual(bitsOf(data));
        }
      }),
    );
  });

  it("writes views of larger arrays, and reads Buffers at odd offsets without touching them again", () => {
    const data = Float32Array.of(9, 1, 2, 3, 9).subarray(1, 4);
    const bytes = encodeSafetensors(new Map([["x", { shape: [3], data }]]), {});
    const buffer = Buffer.alloc(bytes.length + 3).subarray(3);
    buffer.set(bytes);
    const { tensors } = decodeSafetensors(buffer, "f");
    buffer.fill(0);
    expect([...tensors.get("x")!.data]).toEqual([1, 2, 3]);
  });

  it("converts F16, BF16 and F64, in the order of the bytes, from a header of no particular length", () => {
    const data = new Uint8Array(4 + 4 + 16);
    const view = new DataView(data.buffer);
    view.setUint16(0, 0x3c00, true);
    view.setUint16(2, 0xc500, true);
    view.setUint16(4, 0x3f80, true);
    view.setUint16(6, 0xc0a0, true);
    view.setFloat64(8, 0.1, true);
    view.setFloat64(16, -Infinity, true);
    const header = {
      double: { dtype: "F64", shape: [1, 2], data_offsets: [8, 24] },
      brain: { dtype: "BF16", shape: [2], data_offsets: [4, 8] },
      half: { dtype: "F16", shape: [2], data_offsets: [0, 4] },
    };
    for (const padding of ["", " ", "  \n"]) {
      const { tensors, metadata } = decodeSafetensors(file(JSON.stringify(header) + padding, data), "f");
      expect(metadata).toEqual({});
      expect([...tensors].map(([name, { dtype, shape, data }]) => [name, dtype, shape, [...data]])).toEqual([
        ["half", "F16", [2], [1, -5]],
        ["brain", "BF16", [2], [1, -5]],
        ["double", "F64", [1, 2], [Math.fround(0.1), -Infinity]],
      ]);
    }
  });

  it("reads a file that the Python package safetensors 0.8.0 wrote", () => {
    const base64 =
      "CAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJhcmNoaXRlY3R1cmUiOiJsZW5ldDUifSwiZCI6eyJkdHlwZSI6IkY2NCIsInNoYXBlIjpbMV0s" +
      "ImRhdGFfb2Zmc2V0cyI6WzAsOF19LCJ3Ijp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyLDFdLCJkYXRhX29mZnNldHMiOls4LDE2XX0sImIi" +
      "OnsiZHR5cGUiOiJCRjE2Iiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbMTYsMjBdfSwiaCI6eyJkdHlwZSI6IkYxNiIsInNoYXBlIjpb" +
      "M10sImRhdGFfb2Zmc2V0cyI6WzIwLDI2XX19ICCamZmZmZm5PwAAwD8AAADAwD8AwAA4/3sBgA==";
    const { tensors, metadata } = decodeSafetensors(Buffer.from(base64, "base64"), "f");
    expect(metadata).toEqual({ architecture: "lenet5" });
    expect(Object.fromEntries(tensors)).toEqual({
      w: { dtype: "F32", shape: [2, 1], data: Float32Array.of(1.5, -2) },
      h: { dtype: "F16", shape: [3], data: Float32Array.of(0.5, 65504, -(2 ** -24)) },
      b: { dtype: "BF16", shape: [2], data: Float32Array.of(1.5, -2) },
      d: { dtype: "F64", shape: [1], data: Float32Array.of(0.1) },
    });
  });

  it("reads a scalar, and a file without tensors", () => {
    expect(decodeSafetensors(file({ s: f32([], 0, 4) }, 4), "f").tensors.get("s")).toMatchObject({ shape: [] });
    expect(decodeSafetensors(file({}), "f").tensors.size).toBe(0);
  });

  it("leaves out PyTorch's counts of batches, and checks them like the rest", () => {
    const count = (begin: number, end: number, shape: number[] = []) => ({
      "bn.num_batches_tracked": { dtype: "I64", shape, data_offsets: [begin, end] },
      "bn.weight": f32([1], end, end + 4),
    });
    expect([...decodeSafetensors(file(count(0, 8), 12), "f").tensors.keys()]).toEqual(["bn.weight"]);
    expect(() => decodeSafetensors(file(count(0, 4), 8), "f")).toThrow('"bn.num_batches_tracked" has 4 bytes');
    expect(() => decodeSafetensors(file(count(2, 10), 14), "f")).toThrow("leaves a hole");
    const other = { bn_num_batches_tracked: { dtype: "I64", shape: [1], data_offsets: [0, 8] } };
    expect(() => decodeSafetensors(file(other, 8), "f")).toThrow('of type "I64"');
  });

  const good = file({ a: f32([2], 0, 8), b: f32([1], 8, 12) }, 12);
  const length = (value: bigint) => {
    const bytes = good.slice();
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    return bytes;
  };
  it.each<[string, Uint8Array, string]>([
    ["an empty file", new Uint8Array(0), "0 bytes, expected"],
    ["7 bytes", good.slice(0, 7), "7 bytes, expected"],
    ["a cut header", good.slice(0, 30), "30 bytes, expected at least"],
    ["cut data", good.slice(0, -1), '"b" ends at byte 12 of the data, expected at most 11'],
    ["bytes at the end", file({ a: f32([2], 0, 8) }, 9), "9 bytes of data, expected the 8"],
    ["data without tensors", file({}, 1), "1 bytes of data, expected the 0"],
    ["a header of 2^64 − 1 bytes", length(2n ** 64n - 1n), "18446744073709551615 bytes, expected at most 100000000"],
    ["a header of 100,000,001 bytes", length(100_000_001n), "100000001 bytes, expected at most 100000000"],
    ["a header of 100,000,000 bytes", length(100_000_000n), "expected at least 100000008"],
    ["a header of 0 bytes", length(0n), "is not JSON"],
    ["a header that is not JSON", file("PK\n\u0003"), "is not JSON"],
    ["a header that begins with a byte order mark", file("\ufeff{}"), "is not JSON"],
    ["a header that is not UTF-8", Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 0, 0x22, 0xff, 0xfe, 0x22), "is not JSON"],
    ["a header nested a million deep", file("[".repeat(1e6) + "]".repeat(1e6)), "no JSON object"],
    ["a header that is an array", file([]), "no JSON object"],
    ["a header that is null", file("null"), "no JSON object"],
    ["metadata that is a string", file({ __metadata__: "x" }), "__metadata__ is no JSON object"],
    ["metadata that is null", file({ __metadata__: null }), "__metadata__ is no JSON object"],
    ["a number in the metadata", file({ __metadata__: { a: "1", b: 2 } }), '"b" of type number'],
    ["two tensors of one name", file('{"a":1,"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4), '"a" twice'],
    ["a tensor that is null", file({ a: null }), '"a" is no JSON object'],
    ["no dtype", file({ a: { shape: [1], data_offsets: [0, 4] } }, 4), '"a" has no dtype'],
    ["whole numbers", file({ a: { dtype: "I64", shape: [1], data_offsets: [0, 8] } }, 8), '"a" is of type "I64"'],
    [
      "dtype constructor",
      file({ a: { dtype: "constructor", shape: [1], data_offsets: [0, 4] } }, 4),
      "expected one of F32",
    ],
    ["no shape", file({ a: { dtype: "F32", data_offsets: [0, 4] } }, 4), '"a" has no shape'],
    ["an axis of 0", file({ a: f32([0], 0, 0) }), '"a" has no shape'],
    ["an axis of −1", file({ a: f32([-1, -1], 0, 4) }, 4), '"a" has no shape'],
    ["an axis of 1.5", file({ a: f32([1.5], 0, 6) }, 6), '"a" has no shape'],
    ["an axis in words", file({ a: f32(["1"], 0, 4) }, 4), '"a" has no shape'],
    ["one offset", file({ a: { dtype: "F32", shape: [1], data_offsets: [0] } }, 4), '"a" has no data_offsets'],
    ["offsets backwards", file({ a: f32([1], 4, 0) }, 4), '"a" has no data_offsets'],
    ["an offset below 0", file({ a: f32([2], -4, 4) }, 4), '"a" has no data_offsets'],
    ["an offset that is no number", file({ a: f32([1], 0, null) }, 4), '"a" has no data_offsets'],
    ["an offset of 2^53", file({ a: f32([1], 0, 2 ** 53) }, 4), '"a" has no data_offsets'],
    ["an end out of range", file({ a: f32([2], 0, 8) }, 4), "ends at byte 8 of the data, expected at most 4"],
    ["too few bytes for the shape", file({ a: f32([2], 0, 4) }, 4), "has 4 bytes, expected 8 for shape [2] of F32"],
    [
      "sizes whose product overflows",
      file({ a: f32([2 ** 32, 2 ** 32], 0, 0) }),
      "has 0 bytes, expected 73786976294838210000",
    ],
    ["sizes whose product is infinite", file({ a: f32(new Array(30).fill(2 ** 50), 0, 0) }), "shape of 30 axes"],
    [
      "tensors that overlap",
      file({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8),
      '"b" begins at byte 4 of the data and overlaps',
    ],
    [
      "one tensor's bytes twice",
      file({ a: f32([1], 0, 4), b: f32([1], 0, 4) }, 4),
      '"b" begins at byte 0 of the data and overlaps',
    ],
    ["a hole at the start", file({ a: f32([1], 4, 8) }, 8), '"a" begins at byte 4 of the data and leaves a hole'],
    ["a hole between", file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), "leaves a hole before it, expected byte 4"],
    [
      "a number beyond f32",
      file({ a: { dtype: "F64", shape: [1], data_offsets: [0, 8] } }, new Uint8Array(Float64Array.of(1e300).buffer)),
      '"a" holds 1e+300',
    ],
    ["a name of many lines", file({ ["a\n".repeat(1000)]: null }), '"a\\na'],
  ])("refuses %s in one line", (_, bytes, message) => {
    let error: unknown;
    try {
      decodeSafetensors(bytes, "student.safetensors");
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(InputError);
    const found = (error as InputError).message;
    expect(found).toContain(message);
    expect(found).toMatch(/^student\.safetensors: .+, expected .+; .+$/);
    expect(found.length).toBeLessThan(400);
  });

  /** Decodes, or refuses with an InputError; what it decodes accounts for each byte of the data. */
  function expectHonest(bytes: Uint8Array): void {
    let decoded: SafetensorsFile;
    try {
      decoded = decodeSafetensors(bytes, "f");
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
      return;
    }
    const widths = { F32: 4, F16: 2, BF16: 2, F64: 8 };
    let total = 0;
    for (const { dtype, shape, data } of decoded.tensors.values()) {
      expect(data.length).toBe(sizeOf(shape));
      total += data.length * widths[dtype];
    }
    expect(8 + Number(new DataView(bytes.buffer).getBigUint64(0, true)) + total).toBe(bytes.length);
    for (const value of Object.values(decoded.metadata)) expect(typeof value).toBe("string");
  }

  it("decodes damaged files consistently or refuses them, and does nothing else", () => {
    const edit = fc.record({
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      /** Half of the edits in the first bytes, where the header is. */
      early: fc.boolean(),
      remove: fc.integer({ min: 0, max: 3 }),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 3 }),
        fc.constantFrom(...'{}[]",:0123456789-.e \\').map((character) => Uint8Array.of(character.charCodeAt(0))),
      ),
    });
    fc.assert(
      fc.property(tensorsArbitrary, metadataArbitrary, fc.array(edit, { maxLength: 4 }), (tensors, metadata, edits) => {
        let bytes = encodeSafetensors(tensors, metadata);
        for (const { at, early, remove, insert } of edits) {
          const index = Math.floor(at * (early ? Math.min(bytes.length, 80) : bytes.length));
          bytes = Uint8Array.of(...bytes.subarray(0, index), ...insert, ...bytes.subarray(index + remove));
        }
        expectHonest(bytes);
      }),
      { numRuns: 1000 },
    );
  });

  it("decodes headers of any sizes and offsets consistently or refuses them", () => {
    const size = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 4 }) },
      fc.constantFrom(-1, -0, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, 1e300, null, "4", [], true),
    );
    const entry = fc.oneof(
      {
        weight: 9,
        arbitrary: fc.record(
          {
            dtype: fc.constantFrom("F32", "F16", "BF16", "F64", "I64", "F8_E4M3", null),
            shape: fc.oneof({ weight: 9, arbitrary: fc.array(size, { maxLength: 3 }) }, size),
            data_offsets: fc.oneof({ weight: 9, arbitrary: fc.tuple(size, size) }, fc.array(size, { maxLength: 3 })),
          },
          { requiredKeys: [] },
        ),
      },
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(
        fc.dictionary(fc.oneof(text, fc.constant("__metadata__")), entry, { maxKeys: 3 }),
        fc.nat(16),
        (header, data) => {
          expectHonest(file(header, data));
        },
      ),
      { numRuns: 1000 },
    );
  });
});
