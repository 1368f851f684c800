import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { duplicateKey } from "../../src/nn/duplicate-keys.js";

describe("duplicateKey", () => {
  it.each([
    ['{"a":1,"a":1}', "a"],
    ['{"b":{},"c":{"x":[{"k":1 , "k"\t: 2}]}}', "k"],
    ['{"a":1,"\\u0061":2}', "a"],
    ['{"":1,"x":[{}],"":2}', ""],
    ['{"a\\"":1,"a\\"":2}', 'a"'],
    ['{"a\\\\":1,"a\\\\":2}', "a\\"],
  ])("finds it in %s", (json, key) => {
    expect(duplicateKey(json)).toBe(key);
  });

  it.each(['{"a":"a","b":["a","a","b"]}', '[{"a":1},{"a":1}]', '{"a":{"a":{"a":1}},"b":{"a":2}}', '"a"', "[]"])(
    "finds none in %s",
    (json) => {
      expect(duplicateKey(json)).toBeUndefined();
    },
  );

  it("finds none in what JSON.stringify writes, and the first key when it is written again", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 1 }), { minKeys: 1, maxKeys: 4 }),
        (object) => {
          const json = JSON.stringify(object);
          expect(duplicateKey(json)).toBeUndefined();
          const key = Object.keys(object)[0];
          expect(duplicateKey(`${json.slice(0, -1)},${JSON.stringify(key)}:0}`)).toBe(key);
        },
      ),
    );
  });

  it("takes strings of millions of characters", () => {
    const long = "\\n".repeat(2_000_000);
    expect(duplicateKey(`{"${long}":1,"a":"${long}"}`)).toBeUndefined();
  });
});
