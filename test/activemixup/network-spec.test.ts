import { describe, expect, it } from "vitest";
import { checkClassNames, specFor } from "../../src/activemixup/index.js";
import { drawDigits } from "../../src/data/index.js";
import { Network, Predictor } from "../../src/nn/index.js";
import { CpuDevice } from "../../src/tensor/index.js";

const digits = drawDigits(4, 1, { size: 12 });
const named = (...classNames: string[]) => ({ ...digits, name: "test", classNames });

describe("class names", () => {
  it("have to be the network's, in its order", () => {
    expect(() => {
      checkClassNames(named("cat", "dog"), ["cat", "dog"]);
    }).not.toThrow();
    expect(() => {
      checkClassNames(named("dog", "cat"), ["cat", "dog"]);
    }).toThrowErrorMatchingInlineSnapshot(
      `[InputError: test: class 0 is "dog"; expected "cat": give images with the classes that the network was trained on]`,
    );
    expect(() => {
      checkClassNames(named("cat"), ["cat", "dog"]);
    }).toThrowErrorMatchingInlineSnapshot(
      `[InputError: test: class 1 is "missing"; expected "dog": give images with the classes that the network was trained on]`,
    );
  });

  it("are not compared where one side has none", () => {
    expect(() => {
      checkClassNames(digits, ["cat"]);
      checkClassNames(named("cat"), undefined);
    }).not.toThrow();
  });
});

describe("a new network's spec", () => {
  it("normalises by the images' own mean and deviation", () => {
    const pixels = Uint8Array.from([0, 255, 0, 255, 51, 51, 51, 51]);
    const images = { ...digits, count: 1, channels: 2, height: 2, width: 2, pixels };
    // A channel of one colour has no deviation: 1 of 255 stands in for it.
    expect(specFor("lenet5", images, 3)).toMatchObject({ mean: [0.5, 0.2], deviation: [0.5, 0.0039] });
  });
});

describe("predicting", () => {
  it("refuses pixels that are no whole number of images", async () => {
    const cpu = new CpuDevice();
    const predictor = await Predictor.create(new Network(cpu, specFor("lenet5-half", digits, 10), 0), 2);
    await expect(predictor.predict(new Uint8Array(145))).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: predict: 145 pixels are no whole number of images of 144]`,
    );
    cpu.destroy();
  });
});
