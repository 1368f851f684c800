import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  drawShare,
  embedGradients,
  embeddingShape,
  pickSeed,
  type EmbeddingSizes,
  type PickSeedOptions,
} from "../../src/kernels/seeding/index.js";
import { createTensor, readTensor, record, type Device, type Shape } from "../../src/tensor/index.js";
import { EXACT, expectClose, f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, edgeSize, expectSame, oddInput, randomInput, runKernel, type Input } from "./harness.js";

const devices = useDevices();

const f32 = (shape: Shape, data: ArrayLike<number>): Input<"f32"> => ({ shape, dtype: "f32", data });
const u32 = (data: ArrayLike<number>): Input<"u32"> => ({ shape: [data.length], dtype: "u32", data });

/** Rows of logits and features. */
interface Rows {
  readonly logits: ArrayLike<number>;
  readonly features: ArrayLike<number>;
}

/** The gradient embeddings as they are written down: outer products of K · (F + 1) numbers, one a candidate. */
function outerProducts({ logits, features }: Rows, { candidates, classes, features: width }: EmbeddingSizes) {
  return Array.from({ length: candidates }, (_, i) => {
    const own = Array.from({ length: classes }, (_, k) => logits[i * classes + k]);
    const label = own.indexOf(Math.max(...own));
    const powers = own.map((logit) => Math.exp(logit - own[label]));
    const sum = powers.reduce((total, power) => total + power, 0);
    const b = [...Array.from({ length: width }, (_, f) => features[i * width + f]), 1];
    return Float64Array.from(
      powers.flatMap((power, k) => b.map((feature) => (power / sum - (k === label ? 1 : 0)) * feature)),
    );
  });
}

function squaredDistance(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < x.length; j++) sum += (x[j] - y[j]) ** 2;
  return sum;
}

interface Picked {
  readonly chosen: Uint32Array;
  readonly nearest: Float32Array;
  readonly centre: Float32Array;
  readonly counter: Uint32Array;
}

/** Embeds all candidates and makes `runs` picks by one recording. */
async function pick(
  device: Device,
  rows: Rows,
  sizes: EmbeddingSizes,
  k: number,
  { seed = 1, round = 1, runs = k } = {},
): Promise<Picked> {
  const { candidates, classes, features: width } = sizes;
  const shape = embeddingShape(sizes);
  const own = {
    logits: createTensor(device, [candidates, classes], { data: rows.logits }),
    features: createTensor(device, [candidates, width], { data: rows.features }),
    zero: createTensor(device, [1], { dtype: "u32", data: [0] }),
    embeddings: createTensor(device, shape),
    round: createTensor(device, [1], { dtype: "u32", data: [round] }),
    counter: createTensor(device, [1], { dtype: "u32", data: [0] }),
    chosen: createTensor(device, [k], { dtype: "u32" }),
    nearest: createTensor(device, [shape[1]]),
    centre: createTensor(device, [shape[0]]),
  };
  const embedding = await record(device, (recorder) => {
    embedGradients(recorder, own.logits, own.features, { counter: own.zero, candidates, embeddings: own.embeddings });
  });
  const picking = await record(device, (recorder) => {
    pickSeed(recorder, own.embeddings, { ...own, candidates, classes, seed });
  });
  embedding.run();
  picking.run(runs);
  const [chosen, nearest, centre, counter] = await Promise.all([
    readTensor(own.chosen),
    readTensor(own.nearest),
    readTensor(own.centre),
    readTensor(own.counter),
  ]);
  for (const one of [embedding, picking, ...Object.values(own)]) one.dispose();
  return { chosen, nearest, centre, counter };
}

const randomRows = ({ candidates, classes, features }: EmbeddingSizes, seed: number): Rows => ({
  logits: Float32Array.from(randomInput([candidates, classes], seed).data, (value) => 3 * value),
  features: randomInput([candidates, features], seed + 1).data,
});

describe("embedGradients", () => {
  it("agrees with the reference at every batch, NaN and infinities among its rows", async () => {
    const UNTOUCHED = 77;
    const problem = fc.record({
      batch: edgeSize(64),
      classes: fc.constantFrom(1, 2, 10, 37),
      width: fc.constantFrom(1, 3, 84),
      batches: fc.constantFrom(1, 2, 3),
      missing: fc.nat(64),
      // Times 2 or 64, the last is 0 modulo 2^32.
      counter: fc.constantFrom(0, 0, 1, 2, 5, 0x80000000),
      odd: fc.boolean(),
      seed: anySeed,
    });
    await fc.assert(
      fc.asyncProperty(problem, async ({ batch, classes, width, batches, missing, counter, odd, seed }) => {
        const candidates = Math.max(1, batch * batches - Math.min(missing, batch - 1));
        const shape = embeddingShape({ candidates, classes, features: width });
        const make = odd ? oddInput : randomInput;
        const logits = make([batch, classes], seed);
        const inputs = {
          logits: { ...logits, data: Float32Array.from(logits.data, (value) => 8 * value) },
          features: make([batch, width], seed + 1),
          counter: u32([counter]),
          embeddings: f32(shape, new Float32Array(shape[0] * shape[1]).fill(UNTOUCHED)),
        };
        await expectSame(
          devices,
          inputs,
          (recorder, tensors) => {
            embedGradients(recorder, tensors.logits, tensors.features, { ...tensors, candidates });
            return { embeddings: tensors.embeddings };
          },
          f32Tolerance(width),
        );
      }),
      { numRuns: 60 },
    );
  });

  it("keeps the digits of a gradient where the network is all but certain", async () => {
    const inputs = {
      logits: f32([2, 2], [20, 0, 0, 60]),
      features: f32([2, 1], [0, 0]),
      counter: u32([0]),
      embeddings: f32([4, 4], new Float32Array(16)),
    };
    for (const device of [devices.cpu, devices.gpu]) {
      const { embeddings } = await runKernel(device, inputs, (recorder, tensors) => {
        embedGradients(recorder, tensors.logits, tensors.features, { ...tensors, candidates: 2 });
        return { embeddings: tensors.embeddings };
      });
      const own = [embeddings[0], embeddings[4], embeddings[1], embeddings[5]];
      const relative = { rtol: 1e-5, atol: 0 };
      expectClose(own, [-Math.exp(-20), Math.exp(-20), Math.exp(-60), -Math.exp(-60)], relative, device.info.kind);
    }
  });

  it("says what does not fit", () => {
    const at = (features: Shape, embeddings: Shape, candidates = 5) =>
      runKernel(
        devices.cpu,
        {
          logits: randomInput([2, 3], 1),
          features: randomInput(features, 1),
          counter: u32([0]),
          embeddings: randomInput(embeddings, 1),
        },
        (recorder, tensors) => {
          embedGradients(recorder, tensors.logits, tensors.features, { ...tensors, candidates });
          return {};
        },
      );
    return Promise.all([
      expect(at([3, 4], [8, 8])).rejects.toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: embedGradients: features is [3, 4]; expected [2, 4]]`,
      ),
      expect(at([2, 4], [8, 5])).rejects.toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: embedGradients: embeddings is [8, 5]; expected [8, 8]]`,
      ),
      expect(at([2, 4], [8, 8], 0)).rejects.toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: embedGradients: candidates is 0; expected a whole number from 1 up]`,
      ),
    ]);
  });
});

describe("pickSeed", () => {
  // Sizes about a vector of 4, a workgroup of 64 vectors, and runs of 256 · 4 candidates.
  const candidatesAny = fc.constantFrom(1, 2, 3, 4, 5, 7, 63, 255, 256, 257, 1023, 1024, 1025, 2050);

  it("picks, each time, where the random share of the distances to those chosen before falls", async () => {
    const problem = fc.record({
      candidates: candidatesAny,
      classes: fc.constantFrom(2, 3, 10),
      features: fc.constantFrom(1, 5, 16),
      most: fc.constantFrom(1, 2, 12),
      seed: anySeed,
      round: fc.nat(3),
    });
    await fc.assert(
      fc.asyncProperty(problem, async ({ most, seed, round, ...sizes }) => {
        const rows = randomRows(sizes, seed);
        const k = Math.min(most, sizes.candidates);
        const points = outerProducts(rows, sizes);
        const origin = new Float64Array(points[0].length);
        for (const device of [devices.cpu, devices.gpu]) {
          const { chosen, nearest, counter } = await pick(device, rows, sizes, k, { seed, round });
          expect(counter[0]).toBe(k);
          const norms = points.map((point) => squaredDistance(point, origin));
          expectClose([norms[chosen[0]]], [Math.max(...norms)], f32Tolerance(), "the first one's norm");
          let distances = points.map(() => Infinity);
          for (const [index, own] of chosen.entries()) {
            if (index > 0) {
              const total = distances.reduce((sum, distance) => sum + distance, 0);
              const before = distances.slice(0, own).reduce((sum, distance) => sum + distance, 0);
              const wanted = drawShare(index, round, seed) * total;
              const slack = 1e-5 * total;
              expect(wanted).toBeGreaterThanOrEqual(before - slack);
              expect(wanted).toBeLessThanOrEqual(before + distances[own] + slack);
            }
            // As they were at the last pick, without the one that it chose.
            if (index === k - 1 && k > 1) {
              const expected = distances.map((distance, i) => (chosen.subarray(0, index).includes(i) ? -1 : distance));
              expectClose(nearest.subarray(0, sizes.candidates), expected, f32Tolerance(100), "nearest");
              expect(nearest.subarray(sizes.candidates).every((distance) => distance === -1)).toBe(true);
            }
            distances = distances.map((distance, i) => Math.min(distance, squaredDistance(points[i], points[own])));
          }
          expect(new Set(chosen).size).toBe(k);
        }
      }),
      { numRuns: 25 },
    );
  });

  it("chooses every candidate once where k is their number, and then changes nothing", async () => {
    const sizes = { candidates: 70, classes: 3, features: 4 };
    const rows = randomRows(sizes, 5);
    for (const device of [devices.cpu, devices.gpu]) {
      const { chosen, counter } = await pick(device, rows, sizes, 70);
      expect([...chosen].sort((a, b) => a - b)).toEqual(Array.from(chosen.keys()));
      const more = await pick(device, rows, sizes, 70, { runs: 75 });
      expect(more.chosen).toEqual(chosen);
      expect([counter[0], more.counter[0]]).toEqual([70, 70]);
    }
  });

  it("picks second by the squares of the distances", async () => {
    const sizes = { candidates: 9, classes: 2, features: 2 };
    const rows = randomRows(sizes, 11);
    const points = outerProducts(rows, sizes);
    const counts = new Float64Array(9);
    const draws = 400;
    let first = 0;
    for (let round = 0; round < draws; round++) {
      const { chosen } = await pick(devices.cpu, rows, sizes, 2, { round });
      counts[chosen[1]]++;
      first = chosen[0];
    }
    const weights = points.map((point) => squaredDistance(point, points[first]));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [i, weight] of weights.entries()) {
      const share = weight / total;
      const deviation = Math.sqrt(draws * share * (1 - share));
      expect(Math.abs(counts[i] - draws * share), `candidate ${i}`).toBeLessThan(4 * deviation + 0.5);
    }
  });

  it("repeats to the bit, and differs by seed and by round", async () => {
    const sizes = { candidates: 500, classes: 10, features: 8 };
    const rows = randomRows(sizes, 3);
    const once = await pick(devices.gpu, rows, sizes, 40, { seed: 7, round: 2 });
    expect(await pick(devices.gpu, rows, sizes, 40, { seed: 7, round: 2 })).toEqual(once);
    for (const other of [
      { seed: 8, round: 2 },
      { seed: 7, round: 3 },
    ]) {
      expect((await pick(devices.gpu, rows, sizes, 40, other)).chosen).not.toEqual(once.chosen);
    }
  });

  it("takes what is left in order where all of it lies on chosen ones or is no finite number", async () => {
    const sizes = { candidates: 1030, classes: 2, features: 1 };
    // Powers of two throughout, so that equal rows lie at exactly 0. Of two points the second is the longer.
    const logits = Array.from({ length: 1030 }, (_, i) => (i === 4 ? [NaN, 0] : [0, 0])).flat();
    const features = Array.from({ length: 1030 }, (_, i) => (i === 1026 ? 3 : 1));
    for (const device of [devices.cpu, devices.gpu]) {
      const { chosen, nearest } = await pick(device, { logits, features }, sizes, 9, { seed: 5 });
      const [first, second, ...rest] = chosen;
      expect(first).toBe(1026);
      expect(second).not.toBe(4);
      expect(rest).toEqual([0, 1, 2, 3, 4, 5, 6, 7].filter((candidate) => candidate !== second).slice(0, 7));
      expectClose(
        nearest.subarray(8, 1026),
        new Float32Array(1018).map((_, i) => (i + 8 === second ? -1 : 0)),
        EXACT,
      );
    }
  });

  it("never picks what weighs nothing, at a run's or the whole's first or last places", async () => {
    // Runs of one vector up to 1024 candidates, of two above; one candidate alone lies apart from all others.
    for (const [candidates, apart] of [
      [1024, 0],
      [1024, 1023],
      [1024, 515],
      [1027, 1026],
      [1027, 8],
      [5, 4],
    ]) {
      const sizes = { candidates, classes: 2, features: 1 };
      const logits = new Float32Array(2 * candidates);
      // The first pick is one of the equal ones: they are the longer.
      const features = Array.from({ length: candidates }, (_, i) => (i === apart ? 0 : 1));
      for (const device of [devices.cpu, devices.gpu]) {
        const { chosen } = await pick(device, { logits, features }, sizes, 2, { seed: candidates + apart });
        expect([...chosen], device.info.kind).toEqual([apart === 0 ? 1 : 0, apart]);
      }
    }
  });

  it("keeps sums finite where distances are huge", async () => {
    const sizes = { candidates: 300, classes: 2, features: 1 };
    // Exact in f32 throughout: norms up to 1.5e38, and distances of 0 or above 1e35.
    const features = Array.from({ length: 300 }, (_, i) => 2 ** 60 * (1 + (i % 15)));
    const rows = { logits: new Float32Array(600), features };
    const [expected, actual] = await Promise.all(
      [devices.cpu, devices.gpu].map((device) => pick(device, rows, sizes, 6, { seed: 2 })),
    );
    expect(actual.chosen).toEqual(expected.chosen);
    expect(Math.max(...actual.nearest)).toBe(Math.fround(1e30));
    expect(new Set(actual.chosen.map((candidate) => candidate % 15)).size).toBe(6);
  });

  it("says what does not fit", async () => {
    const attempt = (options: Partial<PickSeedOptions>, shape: Shape = [8, 8]) =>
      runKernel(
        devices.cpu,
        {
          embeddings: randomInput(shape, 1),
          round: u32([0]),
          counter: u32([0]),
          chosen: u32([0, 0]),
          nearest: randomInput([8], 1),
          centre: randomInput([8], 1),
        },
        (recorder, { embeddings, ...tensors }) => {
          pickSeed(recorder, embeddings, { candidates: 5, classes: 3, seed: 1, ...tensors, ...options });
          return {};
        },
      );
    await attempt({});
    await expect(attempt({ classes: 8 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: pickSeed: classes is 8; expected a whole number from 1 to 7, below the rows of embeddings]`,
    );
    await expect(attempt({ candidates: 4 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: pickSeed: embeddings is [8, 8]; expected [8, 4]]`,
    );
    await expect(attempt({ seed: 0.5 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: pickSeed: seed is 0.5; expected a whole number from 0 to 4294967295]`,
    );
    const chosen = createTensor(devices.cpu, [6], { dtype: "u32" });
    await expect(attempt({ chosen })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: pickSeed: chosen is [6]; expected at most 5, the number of candidates]`,
    );
    await expect(attempt({}, [8])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: pickSeed: embeddings is [8]; expected 2 axes (K+F+1 M)]`,
    );
    const centre = createTensor(devices.cpu, [7]);
    await expect(attempt({ centre })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: pickSeed: centre is [7]; expected [8]]`,
    );
  });
});
