import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { soften } from "../../src/activemixup/soften.js";
import { drawDigits } from "../../src/data/index.js";
import { WHOLE_WEIGHT } from "../../src/kernels/index.js";
import { softmaxReference } from "../../src/kernels/loss/index.js";
import { Examples, Network, plainAdam, Predictor, Trainer } from "../../src/nn/index.js";
import { createTensor } from "../../src/tensor/index.js";
import { expectClose, f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";

const devices = useDevices();

describe("soften", () => {
  it("gives the softmax of the logits divided by the temperature", () => {
    // Within the spread that a probability of 1e-7 lets be told.
    const logits = fc.array(fc.integer({ min: -700, max: 700 }), { minLength: 4, maxLength: 4 });
    const property = fc.property(logits, fc.constantFrom(1, 2, 4, 20), (hundredths, temperature) => {
      const softmaxAt = (T: number) => {
        const out = new Float32Array(4);
        const row = Float32Array.from(hundredths, (value) => value / 100 / T);
        softmaxReference(row, out, { rows: 1, classes: 4 });
        return out;
      };
      expectClose(soften(softmaxAt(1), 4, temperature), softmaxAt(temperature), f32Tolerance(16));
    });
    fc.assert(property);
  });

  it("leaves answers as they are at temperature 1, also those of probability 0", () => {
    const labels = Float32Array.of(0, 1, 0.25, 0.75);
    expect(soften(labels, 2, 1)).toBe(labels);
  });

  it("takes a probability of 0 for one of a ten-millionth", () => {
    const [zero, one] = soften(Float32Array.of(0, 1), 2, 7);
    expect(zero / one).toBeCloseTo(0.1, 6);
  });

  it("has a student that is trained at the same temperature say what the teacher said, unsoftened", async () => {
    const temperature = 4;
    const digits = drawDigits(2, 1, { size: 16 });
    const device = devices.gpu;
    const spec = {
      architecture: "lenet5-half",
      image: { channels: 1, height: 16, width: 16 },
      classes: 3,
      mean: [0.5],
      deviation: [0.5],
    };
    const network = new Network(device, spec, 3);
    const images = createTensor(device, [2, 1, 16, 16], { dtype: "u8", data: digits.pixels });
    const examples = new Examples(device, images, 2, 3);
    const labels = Float32Array.of(0.9, 0.09, 0.01, 0.001, 0.009, 0.99);
    const softened = soften(labels, 3, temperature);
    const whole = (image: number) => ({ first: image, second: image, weight: WHOLE_WEIGHT });
    examples.set([whole(0), whole(1)], softened);
    const augmentation = { crop: 0, flip: false };
    const settings = { batch: 2, optimizer: plainAdam, augmentation, temperature, seed: 5 };
    const trainer = await Trainer.create(network, examples, settings, 200);
    const loss = await trainer.fit(0, { steps: 200, schedule: { kind: "cosine", rate: 0.01, floor: 0, warmup: 0 } });
    const predictor = await Predictor.create(network, 2);
    const { probabilities } = await predictor.predict(digits.pixels);
    expectClose(probabilities, labels, { rtol: 0.01, atol: 0 });
    // A loss is least where the network says what the targets are: it is their entropy then.
    const entropy = -softened.reduce((sum, p) => sum + p * Math.log(p), 0) / 2;
    expect(loss).toBeCloseTo(entropy, 3);
    for (const made of [trainer, predictor, examples, images, network]) made.dispose();
  });
});
