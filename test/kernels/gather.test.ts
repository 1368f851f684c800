import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  batchIndices,
  gatherRows,
  gatherShape,
  planGatherRows,
  rangeIndices,
  scatterBatch,
  scatterSizes,
} from "../../src/kernels/gather/index.js";
import { linearGrid } from "../../src/kernels/grid.js";
import { advance } from "../../src/kernels/step/index.js";
import { createTensor, readTensor, record, Recorder, type Device } from "../../src/tensor/index.js";
import { EXACT } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, edgeSize, expectSame, runKernel, type Input } from "./harness.js";

const devices = useDevices();
const names = ["cpu", "gpu"] as const;

const u32 = (data: number[], shape = [data.length]): Input<"u32"> => ({ shape, data, dtype: "u32" });
const f32 = (data: number[], shape = [data.length]): Input<"f32"> => ({ shape, data, dtype: "f32" });
const iota = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);

describe("gatherRows", () => {
  it("copies the rows that are named, of any size and order", async () => {
    const row: fc.Arbitrary<number[]> = fc.oneof(
      fc.constant([] as number[]),
      edgeSize(64).map((size) => [size]),
      fc.constant([3, 5, 2] as number[]),
    );
    const problem = fc.record({ entries: edgeSize(8), batch: edgeSize(64, 65), row, seed: anySeed });
    await fc.assert(
      fc.asyncProperty(problem, async ({ entries, batch, row, seed }) => {
        const rowSize = row.reduce((product, size) => product * size, 1);
        // One index in five or so lies past the end.
        const chosen = iota(batch).map((b) => ((b * 7919 + seed) >>> 0) % (entries + Math.ceil(entries / 4)));
        const inputs = { table: u32(iota(entries * rowSize, seed), [entries, ...row]), indices: u32(chosen) };
        const gather = { table: inputs.table, indices: inputs.indices };
        await expectSame(
          devices,
          gather,
          (rec, { table, indices }) => ({ out: gatherRows(rec, table, indices) }),
          EXACT,
        );
        const { out } = await runKernel(devices.gpu, gather, (rec, { table, indices }) => ({
          out: gatherRows(rec, table, indices),
        }));
        const expected = chosen.flatMap((index) => iota(rowSize, seed + Math.min(index, entries - 1) * rowSize));
        expect([...out]).toEqual(expected.map((value) => value >>> 0));
      }),
      { numRuns: 40 },
    );
  });

  it.each(names)("keeps infinities, NaN and the sign of zero, device %s", async (name) => {
    const table = f32([NaN, -0, Infinity, 1.5, -Infinity, 0], [3, 2]);
    const { out } = await runKernel(devices[name], { table, indices: u32([2, 0]) }, (rec, tensors) => ({
      out: gatherRows(rec, tensors.table, tensors.indices),
    }));
    expect(out).toEqual(Float32Array.of(-Infinity, 0, NaN, -0));
  });

  it("reaches past the first 65535 workgroups", async () => {
    const words = 65535 * 64 + 5;
    const table = createTensor(devices.gpu, [1, words], { dtype: "u32", data: new Uint32Array(words).fill(7) });
    const { out } = await runKernel(devices.gpu, { indices: u32([0]) }, (rec, { indices }) => ({
      out: gatherRows(rec, table, indices),
    }));
    expect(planGatherRows({ rows: 1, rowSize: words }, 1).grid[1]).toBe(2);
    expect(out.every((value) => value === 7)).toBe(true);
    table.dispose();
  });
});

/** What each of `runs` replays gives, the counter advancing by one between them. */
async function replays(
  device: Device,
  order: number[] | undefined,
  batch: number,
  total: number,
  first: number,
  runs: number,
): Promise<number[][]> {
  const counter = createTensor(device, [1], { dtype: "u32", data: [first] });
  const table = order && createTensor(device, [order.length], { dtype: "u32", data: order });
  const recording = await record(device, (rec) => {
    const indices = table ? batchIndices(rec, table, counter, batch) : rangeIndices(rec, counter, batch, total);
    rec.keep(indices);
    advance(rec, counter);
    return indices;
  });
  const seen: number[][] = [];
  for (let run = 0; run < runs; run++) {
    recording.run();
    seen.push([...(await readTensor(recording.result))]);
  }
  recording.dispose();
  table?.dispose();
  counter.dispose();
  return seen;
}

describe.each(names)("batchIndices and rangeIndices, device %s", (name) => {
  it("walk through the batches and stay at the last item", async () => {
    expect(await replays(devices[name], [40, 41, 42, 43, 44, 45, 46], 3, 7, 0, 4)).toEqual([
      [40, 41, 42],
      [43, 44, 45],
      [46, 46, 46],
      [46, 46, 46],
    ]);
    expect(await replays(devices[name], undefined, 2, 5, 1, 3)).toEqual([
      [2, 3],
      [4, 4],
      [4, 4],
    ]);
  });

  it("stay at the last item where counter · batch passes 2^32", async () => {
    expect(await replays(devices[name], undefined, 1024, 5000, 0x400000, 1)).toEqual([Array(1024).fill(4999)]);
    expect(await replays(devices[name], undefined, 2, 5, 0xffffffff, 1)).toEqual([[4, 4]]);
    expect(await replays(devices[name], undefined, 3, 0xffffffff, 0x55555554, 1)).toEqual([
      [0xfffffffc, 0xfffffffd, 0xfffffffe],
    ]);
    // The batch's first is before 2^32, and others behind.
    expect(await replays(devices[name], undefined, 6, 0xffffffff, 0x2aaaaaaa, 1)).toEqual([
      [0xfffffffc, 0xfffffffd, 0xfffffffe, 0xfffffffe, 0xfffffffe, 0xfffffffe],
    ]);
  });
});

it("batchIndices gives the reference's indices at every counter", async () => {
  const problem = fc.record({ batch: edgeSize(64), total: edgeSize(100), counter: fc.nat(300), seed: anySeed });
  await fc.assert(
    fc.asyncProperty(problem, async ({ batch, total, counter, seed }) => {
      const inputs = { order: u32(iota(total, seed).map((value) => value >>> 0)), counter: u32([counter]) };
      await expectSame(
        devices,
        inputs,
        (rec, tensors) => ({
          listed: batchIndices(rec, tensors.order, tensors.counter, batch),
          counted: rangeIndices(rec, tensors.counter, batch, total),
        }),
        EXACT,
      );
    }),
    { numRuns: 40 },
  );
});

describe.each(names)("scatterBatch, device %s", (name) => {
  const scatter = async (batch: number, total: number, row: number[], first: number, runs: number) => {
    const device = devices[name];
    const rowSize = row.reduce((product, size) => product * size, 1);
    const counter = createTensor(device, [1], { dtype: "u32", data: [first] });
    const values = createTensor(device, [batch, ...row], { dtype: "u32", data: iota(batch * rowSize, 1) });
    const target = createTensor(device, [total, ...row], { dtype: "u32" });
    const recording = await record(device, (rec) => {
      scatterBatch(rec, values, counter, target);
      advance(rec, counter);
    });
    recording.run(runs);
    const result = [...(await readTensor(target))];
    for (const owner of [recording, counter, values, target]) owner.dispose();
    return result;
  };

  it("places the batches one after the other and drops what is past the end", async () => {
    expect(await scatter(2, 5, [2], 0, 1)).toEqual([1, 2, 3, 4, 0, 0, 0, 0, 0, 0]);
    expect(await scatter(2, 5, [2], 1, 1)).toEqual([0, 0, 0, 0, 1, 2, 3, 4, 0, 0]);
    expect(await scatter(2, 5, [2], 0, 9)).toEqual([1, 2, 3, 4, 1, 2, 3, 4, 1, 2]);
    expect(await scatter(3, 4, [], 1, 1)).toEqual([0, 0, 0, 1]);
    expect(await scatter(2, 5, [2], 3, 1)).toEqual(Array(10).fill(0));
  });

  it("writes nothing where counter · batch passes 2^32", async () => {
    expect(await scatter(2, 3, [1], 0x80000000, 1)).toEqual([0, 0, 0]);
    expect(await scatter(1, 2, [1], 0xffffffff, 1)).toEqual([0, 0]);
  });

  it("collects what gatherRows took apart", async () => {
    const sizes = fc.record({ total: edgeSize(16), batch: edgeSize(16), row: edgeSize(8) });
    await fc.assert(
      fc.asyncProperty(sizes, async ({ total, batch, row }) => {
        const device = devices[name];
        const data = Float32Array.from({ length: total * row }, (_, index) => Math.sin(index));
        const table = createTensor(device, [total, row], { data });
        const target = createTensor(device, [total, row]);
        const counter = createTensor(device, [1], { dtype: "u32" });
        const recording = await record(device, (rec) => {
          const rows = gatherRows(rec, table, rangeIndices(rec, counter, batch, total));
          scatterBatch(rec, rows, counter, target);
          advance(rec, counter);
        });
        recording.run(Math.ceil(total / batch));
        expect(await readTensor(target)).toEqual(data);
        for (const owner of [recording, table, target, counter]) owner.dispose();
      }),
      { numRuns: 20 },
    );
  });
});

describe("the contracts", () => {
  it("gather's shape is the indices' with the table's rows", () => {
    expect(gatherShape([9, 3, 4], [5])).toEqual([5, 3, 4]);
    expect(gatherShape([9], [5])).toEqual([5]);
    expect(() => gatherShape([], [5])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: gatherRows: table is []; expected rows, at least one axis]`,
    );
    expect(() => gatherShape([9, 3], [5, 1])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: gatherRows: indices is [5, 1]; expected 1 axes (B)]`,
    );
    expect(() => scatterSizes([4, 3], [9, 2])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: scatterBatch: target is [9, 2]; expected [9, 3]]`,
    );
    expect(() => scatterSizes([4, 3], [])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: scatterBatch: target is []; expected rows, at least one axis]`,
    );
  });

  it("names the tensor of a wrong type and the batch of no size", () => {
    const rec = new Recorder(devices.cpu);
    const images = createTensor(devices.cpu, [4, 4], { dtype: "u8", name: "images" });
    const indices = createTensor(devices.cpu, [2], { dtype: "u32", name: "indices" });
    const counter = createTensor(devices.cpu, [1], { dtype: "u32", name: "counter" });
    expect(() => gatherRows(rec, images as never, indices)).toThrowErrorMatchingInlineSnapshot(
      `[DTypeError: gatherRows: table ("images") holds u8; expected f32 or u32]`,
    );
    expect(() => rangeIndices(rec, counter, 0, 5)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: rangeIndices: batch is 0; expected a whole number from 1 up]`,
    );
    expect(() => rangeIndices(rec, indices, 2, 5)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: rangeIndices: counter is [2]; expected [1]]`,
    );
    expect(() => batchIndices(rec, images as never, counter, 2)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: batchIndices: order is [4, 4]; expected 1 axes (capacity)]`,
    );
  });
});

it("linearGrid covers every count within WebGPU's limit", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 }), fc.constantFrom(1, 64, 256), (count, perWorkgroup) => {
      fc.pre(count / perWorkgroup < 65535 ** 2);
      const [x, y, z] = linearGrid(count, perWorkgroup);
      expect(Math.max(x, y)).toBeLessThanOrEqual(65535);
      expect(x * y * perWorkgroup).toBeGreaterThanOrEqual(count);
      expect((x * y - y) * perWorkgroup).toBeLessThan(count);
      expect(z).toBe(1);
    }),
  );
});
