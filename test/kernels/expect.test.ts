import { describe, expect, it } from "vitest";
import { expectCounter, expectNotNegative, expectSubgroups, expectUint32 } from "../../src/kernels/expect.js";
import { CpuDevice, createTensor } from "../../src/tensor/index.js";

const device = new CpuDevice();

describe("what kernels require", () => {
  it("a counter is u32 [1]", () => {
    const wide = createTensor(device, [2], { dtype: "u32", name: "wide" });
    const real = createTensor(device, [1], { name: "real" });
    expect(() => {
      expectCounter("advance", wide);
    }).toThrowErrorMatchingInlineSnapshot(`[ShapeError: advance: counter is [2]; expected [1]]`);
    expect(() => {
      expectCounter("advance", real);
    }).toThrowErrorMatchingInlineSnapshot(`[DTypeError: advance: counter ("real") holds f32; expected u32]`);
    expectCounter("advance", createTensor(device, [1], { dtype: "u32" }));
  });

  it("a seed is a whole number of 32 bits", () => {
    for (const seed of [-1, 0.5, 2 ** 32, NaN, Infinity]) {
      expect(() => {
        expectUint32("dropout", "seed", seed);
      }).toThrow(`dropout: seed is ${seed}; expected a whole number from 0 to 4294967295`);
    }
    for (const seed of [0, 1, 2 ** 32 - 1]) expectUint32("dropout", "seed", seed);
  });

  it("an epsilon is finite and not negative", () => {
    for (const epsilon of [-1e-9, NaN, Infinity]) {
      expect(() => {
        expectNotNegative("adam", "epsilon", epsilon);
      }).toThrow(`adam: epsilon is ${epsilon}; expected a number from 0 up`);
    }
    for (const epsilon of [0, 1e-9, 3]) expectNotNegative("adam", "epsilon", epsilon);
  });

  it("shuffles need subgroups of one size", () => {
    const others = ["direct", "tiled"];
    const check = (subgroupSize: number) => () => {
      expectSubgroups("conv2d", { ...device.capabilities, subgroupSize }, 8, others);
    };
    expect(check(4)).toThrowErrorMatchingInlineSnapshot(
      `[DeviceError: conv2d: variant "subgroup" needs subgroups of 8; this device's subgroupSize is 4: use "direct" or "tiled"]`,
    );
    expect(check(0)).toThrowErrorMatchingInlineSnapshot(
      `[DeviceError: conv2d: variant "subgroup" needs subgroups of 8; this device's subgroupSize is 0 (none, or of no fixed size): use "direct" or "tiled"]`,
    );
    expect(check(8)).not.toThrow();
  });
});
