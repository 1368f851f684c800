import { describe, expect, it } from "vitest";
import { cases, LONGEST_NAME } from "../../bench/cases/index.js";
import { networkFlops } from "../../bench/flops.js";
import { chooseCases, rowOf, withShares } from "../../bench/suite.js";
import { buildModule } from "../../src/nn/index.js";
import { CpuDevice, type Capabilities } from "../../src/tensor/index.js";

const quick = { filter: "", full: false, software: true };

describe("the list of cases", () => {
  it("has names of their own, short enough for the table, and work to count", () => {
    const names = cases.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, work } of cases) {
      expect(name.length, name).toBeLessThanOrEqual(LONGEST_NAME);
      expect(work.amount, name).toBeGreaterThan(0);
      expect(work.cost, name).toBeGreaterThan(0);
    }
  });

  it("is chosen from by text, by --full, and by what the adapter can do in time", () => {
    const names = (options: Partial<typeof quick>) =>
      chooseCases(cases, { ...quick, ...options }).map(({ name }) => name);
    expect(names({ filter: "matmul" })).toEqual(["matmul 512³", "matmul 1024³", "matmul f16 1024³"]);
    expect(names({ filter: "matmul", full: true })).toEqual([
      "matmul 512³",
      "matmul 1024³",
      "matmul 2048³",
      "matmul f16 1024³",
    ]);
    expect(names({ filter: "matmul", full: true, software: false })).toContain("matmul 4096³");
    expect(names({ full: true, software: false })).toEqual(cases.map(({ name }) => name));
    expect(names({ filter: "nothing is called so" })).toEqual([]);
  });
});

describe("variants", () => {
  it("are those that the device can run, with a star at the one that would run, and names of their own", () => {
    const names = (changes: Partial<Capabilities>) => {
      const capabilities = { ...new CpuDevice().capabilities, ...changes };
      return cases.flatMap((entry) => entry.variants?.(capabilities) ?? []).map(({ name }) => name);
    };
    const lavapipe = names({ software: true, subgroups: true, subgroupSize: 8 });
    expect(lavapipe.filter((name) => name.startsWith("matmul 512³"))).toContain("matmul 512³ · subgroup *");
    expect(lavapipe.filter((name) => name.startsWith("conv c2 dw"))).toContain("conv c2 dw · subgroup *");
    const hardware = names({ software: false, subgroupSize: 0 });
    expect(hardware.some((name) => name.includes("· subgroup"))).toBe(false);
    for (const list of [lavapipe, hardware]) {
      expect(new Set(list).size).toBe(list.length);
      expect(Math.max(...list.map((name) => name.length))).toBeLessThanOrEqual(LONGEST_NAME);
      expect(list.filter((name) => name.endsWith(" *")).length).toBe(cases.filter(({ variants }) => variants).length);
    }
  });
});

describe("floating-point operations of a network", () => {
  it("are those that its convolutions and linear layers are known for", () => {
    const cifar = { channels: 3, height: 32, width: 32 };
    // 313.2 million multiply-adds, as tables of VGG-16 for CIFAR-10 have it.
    const vgg = networkFlops(buildModule("vgg16", cifar, 10), [1, 3, 32, 32]);
    const first = 2 * 32 * 32 * 64 * 27;
    expect(vgg.forward / 2).toBe(313_201_664);
    expect(vgg.training).toBe(3 * vgg.forward - first);
    // 40.6 million, of shortcuts that do not multiply.
    expect(networkFlops(buildModule("resnet20", cifar, 10), [1, 3, 32, 32]).forward / 2).toBe(40_551_040);
  });

  it("count shortcuts that multiply, and grow with the batch", () => {
    const cifar = { channels: 3, height: 32, width: 32 };
    const forward = (batch: number) => networkFlops(buildModule("resnet18", cifar, 10), [batch, 3, 32, 32]).forward;
    expect(forward(1) / 2).toBe(555_422_720);
    expect(forward(7)).toBe(7 * forward(1));
  });

  it("of LeNet-5 are those of its five layers", () => {
    const lenet = networkFlops(buildModule("lenet5", { channels: 1, height: 28, width: 28 }, 10), [2, 1, 28, 28]);
    const layers = [24 * 24 * 6 * 25, 12 * 12 * 16 * 150, 576 * 120, 120 * 84, 84 * 10].map((each) => 2 * 2 * each);
    expect(lenet.forward).toBe(layers.reduce((sum, each) => sum + each, 0));
    expect(lenet.training).toBe(3 * lenet.forward - layers[0]);
  });
});

it("a row has its rate in its unit, and its work as a share of the ceiling that bounds it", () => {
  const ceilings = { "multiply-add": { best: 100, passes: [90, 100] }, copy: { best: 8, passes: [8] } };
  const training = { unit: "images/s", amount: 64, bound: "multiply-add", cost: 4e9 } as const;
  const selection = { unit: "M scores/s", amount: 2e6, bound: "copy", cost: 8e6 } as const;
  const rows = withShares(
    [
      rowOf({ name: "training", work: training }, [0.1, 0.2, 0.4], "fast"),
      rowOf({ name: "lowest", work: selection }, [0.01], "safe"),
    ],
    ceilings,
  );
  expect(rows[0]).toEqual({
    name: "training",
    profile: "fast",
    unit: "images/s",
    rate: 320,
    lowest: 160,
    highest: 640,
    milliseconds: 200,
    samples: [100, 200, 400],
    bound: "multiply-add",
    work: 20,
    share: 0.2,
  });
  expect(rows[1]).toMatchObject({ rate: 200, work: 0.8, share: 0.1 });
});
