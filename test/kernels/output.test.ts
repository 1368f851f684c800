import { describe, expect, it } from "vitest";
import {
  add,
  conv2d,
  conv2dWeightGradient,
  globalAvgPool,
  matmul,
  maxPool2d,
  relu,
  sum,
} from "../../src/kernels/index.js";
import { output } from "../../src/kernels/output.js";
import { CpuDevice, createTensor, Recorder, type Tensor } from "../../src/tensor/index.js";

const device = new CpuDevice();
const recorder = new Recorder(device);
const x = createTensor(device, [2, 3, 4, 4]);
const weight = createTensor(device, [3, 3, 1, 1]);
const square = createTensor(device, [2, 2]);

/** Each takes its result's place, of the shape that is named. */
const kernels: [string, number[], (out: Tensor<"f32">) => Tensor][] = [
  ["matmul", [2, 2], (out) => matmul(recorder, square, square, undefined, { out })],
  ["conv2d", [2, 3, 4, 4], (out) => conv2d(recorder, x, weight, undefined, { out })],
  ["conv2dWeightGradient", [3, 3, 1, 1], (out) => conv2dWeightGradient(recorder, x, x, weight.shape, { out })],
  ["maxPool2d", [2, 3, 2, 2], (out) => maxPool2d(recorder, x, { kernel: 2 }, { out })],
  ["globalAvgPool", [2, 3], (out) => globalAvgPool(recorder, x, { out })],
  ["sum", [1], (out) => sum(recorder, x, { out })],
  ["relu", [2, 2], (out) => relu(recorder, square, { out })],
  ["add", [2, 2], (out) => add(recorder, square, square, { out })],
];

describe("output", () => {
  it("is the tensor that is given, or an intermediate", () => {
    expect(output(recorder, "relu", [2, 2], { out: square })).toBe(square);
    const { shape, dtype, name } = output(recorder, "relu", [2, 2], {});
    expect({ shape, dtype, name }).toEqual({ shape: [2, 2], dtype: "f32", name: "relu" });
  });

  it.each(kernels)("%s takes a result of its shape and type alone", (kernel, shape, run) => {
    const right = createTensor(device, shape);
    const wrong = createTensor(device, [...shape, 1]);
    const whole = createTensor(device, shape, { dtype: "u32", name: "whole" });
    expect(run(right)).toBe(right);
    expect(() => run(wrong)).toThrow(`${kernel}: out is [${wrong.shape.join(", ")}]; expected [${shape.join(", ")}]`);
    expect(() => run(whole as Tensor as Tensor<"f32">)).toThrow(`${kernel}: out ("whole") holds u32; expected f32`);
  });
});
