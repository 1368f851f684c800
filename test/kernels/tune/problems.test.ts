import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { conv2d, conv2dInputGradient, conv2dWeightGradient } from "../../../src/kernels/conv2d/index.js";
import { matmul } from "../../../src/kernels/matmul/index.js";
import { difference, expectedRows, randomInputs } from "../../../src/kernels/tune/check.js";
import { kernelsChecksum, problemsOf } from "../../../src/kernels/tune/problems.js";
import { Recorder, type Problem } from "../../../src/tensor/index.js";
import { capableDevice } from "./capable.js";

const device = capableDevice();

/** The problems of what `body` records; nothing is compiled or run. */
function problemsIn(body: (recorder: Recorder, tensor: (...shape: number[]) => ReturnType<typeof matmul>) => void) {
  const recorder = new Recorder(device);
  body(recorder, (...shape) => recorder.temporary(shape, "input"));
  return problemsOf(recorder.launches);
}

/** One problem of each kind. */
function someProblems(n: number, c: number, o: number, size: number): Problem[] {
  return problemsIn((recorder, tensor) => {
    matmul(recorder, tensor(n, c), tensor(o, c), tensor(o), { transposeB: true, relu: true });
    matmul(recorder, tensor(c, n), tensor(c, o), undefined, { transposeA: true });
    const [image, weight] = [tensor(n, c, size, size), tensor(o, c, 3, 3)];
    const out = conv2d(recorder, image, weight, tensor(o), { padding: 1, relu: true });
    conv2dInputGradient(recorder, out, weight, image.shape, { padding: 1 });
    conv2dWeightGradient(recorder, image, out, weight.shape, { padding: 1 });
  });
}

describe("the problems of launches", () => {
  it("come once each, in order, and not where the variant is forced", () => {
    const problems = problemsIn((recorder, tensor) => {
      const [a, b] = [tensor(4, 8), tensor(8, 2)];
      matmul(recorder, a, b);
      matmul(recorder, tensor(4, 8), b, tensor(2));
      matmul(recorder, a, tensor(8, 3), undefined, { variant: "register" });
      conv2d(recorder, tensor(1, 1, 5, 5), tensor(2, 1, 3, 3), undefined, { variant: "direct" });
      matmul(recorder, a, tensor(8, 5));
    });
    expect(problems.map(({ key }) => key)).toEqual(["matmul 4x2x8 nn", "matmul 4x5x8 nn"]);
    expect(problems[0]).toMatchObject({ multiplyAdds: 64, axes: [0, undefined] });
    expect(problems[0].candidates).toContain(problems[0].byRule);
  });
});

describe("the reference of a problem", () => {
  it("of some rows is that of the whole, for every kind of problem", async () => {
    const sizes = fc.tuple(...[1, 2, 1, 3].map((min) => fc.integer({ min, max: 6 })));
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(1000), fc.nat(20), async ([n, c, o, size], seed, rows) => {
        for (const problem of someProblems(n + 2, c, o + 2, size)) {
          const data = randomInputs(problem, seed);
          const whole = await expectedRows(problem, data, seed, Infinity);
          const count = whole.rows.length;
          const some = await expectedRows(problem, data, seed, (problem.multiplyAdds * rows) / count);
          expect(some.rows.length).toBe(Math.min(count, Math.max(2, rows)));
          expect([some.rows[0], some.rows.at(-1)]).toEqual([0, count - 1]);
          const shape = [count, whole.values.length / count];
          expect(difference(whole.values, shape, some), problem.key).toBeUndefined();
        }
      }),
      { numRuns: 30 },
    );
  });

  it("tells right results from wrong ones, and NaN from all", async () => {
    const [problem] = someProblems(3, 4, 5, 3);
    const expected = await expectedRows(problem, randomInputs(problem, 1), 1);
    const right = Float32Array.from(expected.values);
    expect(difference(right, [3, 5], expected)).toBeUndefined();
    expect(
      difference(
        right.map((value) => value * (1 + 1e-6)),
        [3, 5],
        expected,
      ),
    ).toBeUndefined();
    const wrong = right.with(7, right[7] + 1e-3);
    expect(difference(wrong, [3, 5], expected)).toMatch(/^1 of 15 values are wrong, the first is /);
    expect(difference(right.with(14, NaN), [3, 5], expected)).toMatch(
      /^1 of 15 values are wrong, the first is NaN for /,
    );
    expect(difference(right.fill(Infinity), [3, 5], expected)).toMatch(/^15 of 15 /);
  });

  it("of some rows does not look at the others", async () => {
    const [problem] = someProblems(8, 4, 5, 3);
    const expected = await expectedRows(problem, randomInputs(problem, 1), 1, 0);
    expect(expected.rows).toEqual([0, 7]);
    const result = Float32Array.from({ length: 40 }, (_, index) =>
      index < 5 ? expected.values[index] : index >= 35 ? expected.values[index - 30] : NaN,
    );
    expect(difference(result, [8, 5], expected)).toBeUndefined();
    expect(difference(result.fill(NaN, 35), [8, 5], expected)).toMatch(/^5 of 10 /);
  });
});

describe("the kernels' checksum", () => {
  afterEach(() => {
    vi.doUnmock("../../../src/kernels/matmul/register.wgsl?raw");
    vi.resetModules();
  });

  it("is the same each time, and another for other candidates", async () => {
    const checksum = await kernelsChecksum(device);
    expect(await kernelsChecksum(capableDevice())).toBe(checksum);
    expect(await kernelsChecksum(capableDevice({ subgroupSize: 16 }))).not.toBe(checksum);
    expect(await kernelsChecksum(capableDevice({ tuned: { "matmul 64x10x84 nt": "register" } }))).toBe(checksum);
  });

  it("changes with the text of a kernel", async () => {
    const before = await kernelsChecksum(device);
    vi.resetModules();
    vi.doMock("../../../src/kernels/matmul/register.wgsl?raw", () => ({ default: "// changed" }));
    const changed = await import("../../../src/kernels/tune/problems.js");
    expect(await changed.kernelsChecksum(device)).not.toBe(before);
  });
});
