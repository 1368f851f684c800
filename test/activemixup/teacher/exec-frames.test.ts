import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeAnswers,
  encodeFrame,
  encodeRequest,
  FrameError,
  frameKinds,
  FrameReader,
  HEADER_BYTES,
  type Frame,
} from "../../../src/activemixup/teacher/exec/frames.js";
import { parseError, parseHello } from "../../../src/activemixup/teacher/exec/hello.js";
import { Lines } from "../../../src/activemixup/teacher/exec/lines.js";

const kind = fc.constantFrom(frameKinds.hello, frameKinds.answers, frameKinds.error);
const frame = fc.record({ kind, body: fc.uint8Array({ maxLength: 100 }) });
const cuts = fc.array(fc.nat({ max: 30 }), { minLength: 1 });

/** The bytes in pieces of these lengths, over and over. */
function* pieces(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length] || (turn % lengths.length === 0 ? 1 : 0);
    yield bytes.slice(at, (at += length));
  }
}

function joined(frames: readonly { kind: number; body: Uint8Array }[]): Uint8Array {
  return Uint8Array.from(frames.flatMap((one) => [...encodeFrame(one.kind, one.body)]));
}

describe("FrameReader", () => {
  it("puts frames together however the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 5 }), cuts, (frames, lengths) => {
        const reader = new FrameReader();
        const found: Frame[] = [];
        for (const piece of pieces(joined(frames), lengths)) found.push(...reader.push(piece));
        expect(found).toEqual(frames.map((one) => ({ kind: one.kind, body: Uint8Array.from(one.body) })));
        expect(reader.partial).toBe(false);
      }),
    );
  });

  it("knows that a stream which ends early is in the middle of a frame", () => {
    fc.assert(
      fc.property(frame, fc.nat(), (one, at) => {
        const bytes = joined([one]);
        const reader = new FrameReader();
        const cut = at % bytes.length;
        expect(reader.push(bytes.subarray(0, cut))).toEqual([]);
        expect(reader.partial).toBe(cut > 0);
      }),
    );
  });

  it("refuses a body longer than is due as soon as the header is there", () => {
    fc.assert(
      fc.property(fc.nat({ max: 1000 }), fc.integer({ min: 1, max: 2 ** 32 - 1001 }), kind, (limit, over, which) => {
        const header = new Uint8Array(HEADER_BYTES);
        new DataView(header.buffer).setUint32(0, limit + over, true);
        new DataView(header.buffer).setUint32(4, which, true);
        const reader = new FrameReader();
        reader.limit = limit;
        expect(() => reader.push(header)).toThrow(FrameError);
      }),
    );
  });

  it("takes any bytes, and throws nothing else than FrameError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), cuts, (bytes, lengths) => {
        const reader = new FrameReader();
        reader.limit = 1000;
        try {
          for (const piece of pieces(bytes, lengths)) {
            for (const found of reader.push(piece)) expect([1, 3, 4]).toContain(found.kind);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
    );
  });

  it("shows what was printed", () => {
    expect(() => new FrameReader().push(new TextEncoder().encode("Epoch 1/10\n"))).toThrowErrorMatchingInlineSnapshot(
      `[Error: "Epoch 1/" on stdout, which is no frame; stdout is for frames alone, print to stderr]`,
    );
    expect(() => new FrameReader().push(Uint8Array.of(0, 0, 0, 255, 1, 0, 0, 0))).toThrowErrorMatchingInlineSnapshot(
      `[Error: the bytes 00 00 00 ff 01 00 00 00 on stdout, which is no frame of at most 4194304 bytes; stdout is for frames alone, print to stderr]`,
    );
  });
});

describe("requests and answers", () => {
  it("writes a request as documented", () => {
    const bytes = encodeRequest({
      number: 7,
      count: 2,
      channels: 1,
      height: 1,
      width: 2,
      pixels: Uint8Array.of(9, 8, 255, 6),
    });
    const words = [24, 2, 7, 2, 1, 1, 2].flatMap((word) => [word, 0, 0, 0]);
    expect([...bytes]).toEqual([...words, 9, 8, 255, 6]);
  });

  const answers = (number: number, rows: readonly (readonly number[])[], width = rows[0]?.length ?? 0) => {
    const body = new Uint8Array(12 + 4 * rows.flat().length);
    const view = new DataView(body.buffer);
    for (const [index, value] of [number, rows.length, width].entries()) view.setUint32(4 * index, value, true);
    for (const [index, value] of rows.flat().entries()) view.setFloat32(12 + 4 * index, value, true);
    return body;
  };

  it("reads rows back to the bit", () => {
    const rows = fc
      .record({ count: fc.nat({ max: 6 }), width: fc.integer({ min: 1, max: 5 }) })
      .chain(({ count, width }) =>
        fc.array(fc.array(fc.float(), { minLength: width, maxLength: width }), { minLength: count, maxLength: count }),
      );
    fc.assert(
      fc.property(rows, fc.nat(), (given, number) => {
        const read = decodeAnswers(answers(number, given), { number, count: given.length });
        expect(read).toEqual(given.map((row) => Float32Array.from(row)));
      }),
    );
  });

  it("takes any bytes, and throws nothing else than FrameError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (body) => {
        const own = Uint8Array.from(body);
        expect(() => decodeAnswers(own, { number: 2 ** 31, count: 3 })).toThrow(FrameError);
        if (own.length < 12) return;
        // Past the first two checks, so that lengths are looked at.
        new DataView(own.buffer).setUint32(0, 1, true);
        new DataView(own.buffer).setUint32(4, 3, true);
        const width = new DataView(own.buffer).getUint32(8, true);
        if (own.length === 12 + 12 * width) return;
        expect(() => decodeAnswers(own, { number: 1, count: 3 })).toThrow(FrameError);
      }),
    );
  });

  it("refuses answers to another request, of another count or length, by their own words", () => {
    const rows = [
      [1, 2],
      [3, 4],
    ];
    const read = (body: Uint8Array<ArrayBuffer>) => () => decodeAnswers(body, { number: 5, count: 2 });
    expect(read(answers(4, rows))).toThrow("answers to request 4; expected 5");
    expect(read(answers(5, rows.slice(1)))).toThrow("1 answers; expected 2, one an image");
    expect(read(answers(5, rows, 3))).toThrow("answers of 28 bytes; expected 36 for 2 rows of 3 numbers");
    expect(read(new Uint8Array(5))).toThrow("answers of 5 bytes; expected 12 and more");
  });
});

describe("hello and error", () => {
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

  it("reads what a child says of itself", () => {
    expect(parseHello(json({ protocol: 1, classes: 2, classNames: ["cat", "dog"], batch: 8 }))).toEqual({
      protocol: 1,
      classes: 2,
      classNames: ["cat", "dog"],
      batch: 8,
    });
    expect(parseError(json({ message: "no", retryAfter: 2 }))).toEqual({ message: "no", retryAfter: 2 });
  });

  it("names the field that is wrong", () => {
    const of = (value: unknown) => () => parseHello(json(value));
    expect(of({ protocol: 2, classes: 2 })).toThrow("its hello, field protocol: ");
    expect(of({ protocol: 1, classes: 0 })).toThrow("its hello, field classes: ");
    expect(of({ protocol: 1, classes: 2, form: "maybe" })).toThrow("its hello, field form: ");
    expect(of({ protocol: 1, classes: 2, labels: [] })).toThrow('its hello: Unrecognized key: "labels"');
    expect(of({ protocol: 1, classes: 2, classNames: ["a"] })).toThrow("names 1 classes and says that there are 2");
    expect(() => parseHello(Uint8Array.of(0xff))).toThrow("its hello is no JSON: ");
    expect(() => parseError(json({ error: "no" }))).toThrow("its error, field message: ");
  });

  it("takes any bytes and any JSON, and throws nothing else than FrameError", () => {
    const body = fc.oneof(fc.uint8Array(), fc.jsonValue().map(json));
    fc.assert(
      fc.property(body, (bytes) => {
        for (const parse of [parseHello, parseError]) {
          try {
            parse(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(FrameError);
          }
        }
      }),
    );
  });
});

describe("Lines", () => {
  it("cuts text into the same lines however it comes, and keeps the last", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { maxLength: 8 }), cuts, (lines, lengths) => {
        const heard: string[] = [];
        const all = new Lines(3, (line) => heard.push(line));
        const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
        for (const piece of pieces(bytes, lengths)) all.push(new TextDecoder().decode(piece));
        all.end();
        expect(heard).toEqual(lines);
        expect(all.last).toEqual(lines.slice(-3));
      }),
    );
  });

  it("ends lines at a return, leaves out empty ones, and cuts long ones", () => {
    const lines = new Lines(9);
    lines.push("10%\r50%\r\n\n");
    for (let part = 0; part < 30; part++) lines.push("x".repeat(100));
    lines.end();
    expect(lines.last).toEqual(["10%", "50%", "x".repeat(1000)]);
  });
});
