import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cifarImageSet, parseCifar10, parseCifar100, parseCifarClassNames } from "../../src/data/cifar-binary.js";
import { cifarRecords, concat, inputError, pattern, valueOrInputError } from "./fixtures.js";

const label = (classes: number) => fc.nat({ max: classes - 1 });

describe("right files", () => {
  test("CIFAR-10 records come back as they were written", () => {
    fc.assert(
      fc.property(fc.array(label(10), { minLength: 1, maxLength: 4 }), fc.nat({ max: 255 }), (labels, seed) => {
        const batch = parseCifar10(
          cifarRecords(
            labels.map((own) => [own]),
            seed,
          ),
          "a",
        );
        expect(batch.count).toBe(labels.length);
        expect(batch.labels).toEqual(Uint8Array.from(labels));
        expect(batch.pixels).toEqual(concat(...labels.map((_, index) => pattern(3072, seed + index))));
      }),
      { numRuns: 30 },
    );
  });

  test("CIFAR-100 records come back with their fine labels", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(label(20), label(100)), { minLength: 1, maxLength: 4 }), (labels) => {
        const batch = parseCifar100(cifarRecords(labels), "a");
        expect(batch.labels).toEqual(Uint8Array.from(labels, ([, fine]) => fine));
        expect(batch.pixels).toEqual(concat(...labels.map((_, index) => pattern(3072, index))));
      }),
      { numRuns: 30 },
    );
  });

  test("batches are joined in order, with the format's classes whatever labels occur", () => {
    const batches = [parseCifar10(cifarRecords([[3], [1]]), "a"), parseCifar10(cifarRecords([[2]], 9), "b")];
    const set = cifarImageSet("set", batches, "cifar-10");
    expect(set).toEqual({
      name: "set",
      count: 3,
      channels: 3,
      height: 32,
      width: 32,
      pixels: concat(pattern(3072, 0), pattern(3072, 1), pattern(3072, 9)),
      labels: Uint8Array.of(3, 1, 2),
      classes: 10,
    });
    expect(cifarImageSet("set", [], "cifar-100", ["x"])).toMatchObject({ classes: 100, classNames: ["x"] });
  });

  test("class names are the lines with text", () => {
    const names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
    expect(parseCifarClassNames(`${names.join("\r\n")}\n\n`, "a", "cifar-10")).toEqual(names);
  });
});

describe("wrong files", () => {
  test("any damage gives an InputError or whole records with labels in range", () => {
    const file = cifarRecords([
      [3, 40],
      [19, 99],
    ]);
    const edit = fc.tuple(fc.constantFrom(0, 1, 3073, 3074, 3075), fc.nat({ max: 255 }));
    const cut = fc.oneof(fc.constantFrom(3073, 3074, 6146, 6148), fc.nat({ max: file.length }));
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 3 }), cut, (edits, length) => {
        const bytes = file.slice(0, length);
        for (const [at, value] of edits) if (at < length) bytes[at] = value;
        for (const [parse, record, classes] of [
          [parseCifar10, 3073, 10],
          [parseCifar100, 3074, 100],
        ] as const) {
          const batch = valueOrInputError(() => parse(bytes, "a"));
          if (!batch) continue;
          expect(batch.count).toBe(length / record);
          expect(batch.pixels.length).toBe(batch.count * 3072);
          expect(batch.labels.length).toBe(batch.count);
          expect(batch.labels.every((own) => own < classes)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test.each([0, 3072, 3074, 6147])("%s bytes of CIFAR-10", (length) => {
    expect(inputError(() => parseCifar10(new Uint8Array(length), "x.bin"))).toBe(
      `x.bin: ${length} bytes, expected a multiple of 3073 (CIFAR-10 binary records); the file is cut short or of another kind, get it again`,
    );
  });

  test("labels beyond the classes", () => {
    expect(inputError(() => parseCifar10(cifarRecords([[9], [10]]), "x.bin"))).toBe(
      "x.bin: record 1 has label 10, expected 0 to 9; the file is damaged or not CIFAR-10 binary, get it again",
    );
    expect(inputError(() => parseCifar100(cifarRecords([[20, 0]]), "x.bin"))).toBe(
      "x.bin: record 0 has coarse label 20, expected 0 to 19; the file is damaged or not CIFAR-100 binary, get it again",
    );
    expect(inputError(() => parseCifar100(cifarRecords([[0, 100]]), "x.bin"))).toBe(
      "x.bin: record 0 has fine label 100, expected 0 to 99; the file is damaged or not CIFAR-100 binary, get it again",
    );
  });

  test("class names too few", () => {
    expect(inputError(() => parseCifarClassNames("cat\ndog\n", "x.txt", "cifar-10"))).toBe(
      "x.txt: 2 class names, expected 10; restore the file from the CIFAR-10 archive, or delete it",
    );
  });
});
