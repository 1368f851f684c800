import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseArguments, UsageError } from "../../bench/peers/arguments.mjs";
import {
  channelsLast,
  checkConv,
  checkFinite,
  checkMatmul,
  convInputs,
  filtersLast,
  matmulInputs,
  trainingInputs,
} from "../../bench/peers/inputs.mjs";
import { ask, describeEnding, parseOutput, type Result } from "../../bench/peers/protocol.mjs";
import { inTurn, measure, summarise } from "../../bench/peers/sampling.mjs";
import { formatComparison, formatMeasured, formatRate, formatRatio } from "../../bench/peers/table.mjs";
import { chooseWorkloads, rate, workloads } from "../../bench/peers/workloads.mjs";
import { conv2d, matmul } from "../../src/kernels/index.js";
import { CpuDevice, createTensor, readTensor, record, type Recorder, type Tensor } from "../../src/tensor/index.js";

describe("the list of workloads", () => {
  it("gives every row a name of its own and work to do", () => {
    expect(new Set(workloads.map(({ name }) => name)).size).toBe(workloads.length);
    for (const { name, work } of workloads) expect(work, name).toBeGreaterThan(0);
  });

  it("is the one that torch_bench.py carries", () => {
    const script = readFileSync(new URL("../../bench/peers/torch_bench.py", import.meta.url), "utf8");
    const [, list] = script.match(/json\.loads\(\s*"""([^]*?)"""/)!;
    const hidden = ["sets", "peers", "full"];
    const fields = workloads.map((workload) =>
      Object.fromEntries(Object.entries(workload).filter(([field]) => !hidden.includes(field))),
    );
    expect(JSON.parse(list)).toEqual(fields);
  });

  it("has long rows only where they are asked for, and rows of a GPU only there", () => {
    const names = (choice: Parameters<typeof chooseWorkloads>[0]) => chooseWorkloads(choice).map(({ name }) => name);
    expect(names({ set: "cpu" })).not.toContain("VGG-16 training, batch 32");
    expect(names({ set: "cpu", full: true })).toContain("VGG-16 training, batch 32");
    expect(names({ set: "cpu", full: true })).not.toContain("matmul 4096");
    expect(names({ set: "gpu", only: ["MATMUL 4096"] })).toEqual(["matmul 4096", "matmul 4096 f16"]);
    expect(names({ set: "cpu", only: ["inference", "copy"] })).toEqual([
      "LeNet-5 inference, batch 1024",
      "copy 256 MiB",
    ]);
  });

  it("counts two operations a multiply-add", () => {
    const work = (name: string) => workloads.find((workload) => workload.name.startsWith(name))!.work;
    expect(work("matmul 512")).toBe(2 * 512 ** 3);
    expect(work("conv c2")).toBe(2 * (32 * 32 * 32) * 64 * (64 * 3 * 3));
    expect(work("conv c4")).toBe(2 * (64 * 24 * 24) * 20 * 25);
    expect(rate({ work: 3e9, unit: "GB/s" }, 0.5)).toBe(6);
  });
});

describe("the command line", () => {
  it("has defaults", () => {
    const options = parseArguments([]);
    expect(options).toMatchObject({ full: false, only: [], profile: "safe", wait: "paused", timeout: 300 });
    expect(options.python).toBe("python3");
    expect(options.peers).toEqual(["tfjs-webgpu", "tfjs-wasm", "jax-js-webgpu", "jax-js-wasm", "onnxruntime", "torch"]);
  });

  it("takes several texts, and lists of peers", () => {
    const options = parseArguments(["--only", "c1", "--only", "c2", "--peers", "torch,tfjs-wasm", "--set", "gpu"]);
    expect(options).toMatchObject({ only: ["c1", "c2"], peers: ["torch", "tfjs-wasm"], set: "gpu" });
  });

  it.each([
    [["--peers", "numpy"], '--peers names "numpy"; expected some of tfjs-webgpu, '],
    [["--profile", "quick"], '--profile is "quick"; expected safe or fast'],
    [["--wait", "long"], '--wait is "long"; expected paused or plain'],
    [["--set", "tpu"], '--set is "tpu"; expected cpu or gpu'],
    [["--timeout", "0"], '--timeout is "0"; expected a number of seconds above 0'],
    [["--timeout", "soon"], '--timeout is "soon"; expected a number of seconds above 0'],
    [["--fast"], "Unknown option '--fast'"],
    [["matmul"], "Unexpected argument 'matmul'"],
  ])("refuses %j", (args, message) => {
    expect(() => parseArguments(args)).toThrow(UsageError);
    expect(() => parseArguments(args)).toThrow(message);
  });
});

describe("what a runner prints", () => {
  it("is read past the engine's own chatter", () => {
    const output = [
      "Hi, looks like you are running in Node.js",
      '{"engine":"tfjs-wasm","versions":{"@tensorflow/tfjs":"4.22.0"}}',
      "{ not JSON",
      '{"workload":"matmul 512","median":0.5,"min":0.4,"max":0.6}',
      '{"workload":"copy 256 MiB","cannot":"has no copy"}',
    ].join("\n");
    const { about, results } = parseOutput(output);
    expect(about).toEqual({ engine: "tfjs-wasm", versions: { "@tensorflow/tfjs": "4.22.0" } });
    expect([...results]).toEqual([
      ["matmul 512", { median: 0.5, min: 0.4, max: 0.6 }],
      ["copy 256 MiB", { cannot: "has no copy" }],
    ]);
  });

  it("says what is missing", () => {
    expect(parseOutput('{"missing":"Cannot find package"}\n')).toEqual({
      missing: "Cannot find package",
      results: new Map(),
    });
  });

  it("lacks a result for a reason that the ending tells", () => {
    const ending = { code: null, signal: null, timedOut: false, timeout: 300, stderr: "" };
    expect(describeEnding({ ...ending, timedOut: true, signal: "SIGKILL" })).toBe("not done after 300 s");
    expect(describeEnding({ ...ending, signal: "SIGSEGV", stderr: "one\ntwo\n" })).toBe("ended with SIGSEGV: two");
    expect(describeEnding({ ...ending, code: 1 })).toBe("ended with exit code 1 and no result");
  });
});

describe("a process of an engine", () => {
  const node = (script: string) => ({ command: [process.execPath, "--eval", script, "--"] });

  it("gets the workloads as its arguments and is listened to", async () => {
    const engine = node("console.log(JSON.stringify({ workload: process.argv.at(-1), cannot: 'no' }))");
    const { results } = await ask(engine, ["matmul 512"], { timeout: 60 });
    expect([...results]).toEqual([["matmul 512", { cannot: "no" }]]);
  });

  it("is ended when its time is over, and what it said before counts", async () => {
    const engine = node('console.log(\'{"engine":"slow","versions":{}}\'); setInterval(() => undefined, 1000)');
    const { about, ending } = await ask(engine, [], { timeout: 4 });
    expect(about?.engine).toBe("slow");
    expect(ending).toBe("not done after 4 s");
  });

  it("may not exist", async () => {
    const { ending } = await ask({ command: ["no-such-python"] }, [], { timeout: 60 });
    expect(ending).toBe("there is no no-such-python");
  });
});

describe("the table", () => {
  it("rounds rates and ratios to what they bear", () => {
    expect([0.0123, 3.456, 34.56, 345.6, 3456.7].map(formatRate)).toEqual(["0.0123", "3.46", "34.6", "346", "3457"]);
    expect([0.123, 1, 8.04, 32.55, 203.2].map(formatRatio)).toEqual(["0.12×", "1.0×", "8.0×", "32.5×", "203×"]);
  });

  it("shows half the range of the rates beside the median", () => {
    const timing = { median: 0.1, min: 0.08, max: 0.125 };
    expect(formatMeasured({ work: 64, unit: "images/s" }, timing)).toBe("640 ±23%");
  });

  it("has a line of rates and one of ratios, and says what cannot be measured", () => {
    const rows = [
      { name: "matmul 512", work: 1e9, unit: "GFLOP/s" },
      { name: "LeNet-5 training, batch 64", work: 64, unit: "images/s" },
      { name: "copy 256 MiB", work: 1e9, unit: "GB/s" },
    ] as const;
    const timing = (median: number) => ({ median, min: median, max: median });
    const results = new Map<string, Map<string, Result>>([
      ["ours", new Map(rows.map(({ name }) => [name, timing(0.1)]))],
      [
        "tfjs-wasm",
        new Map<string, Result>([
          ["matmul 512", timing(0.82)],
          ["LeNet-5 training, batch 64", { cannot: "no gradient" }],
        ]),
      ],
      ["torch", new Map([["copy 256 MiB", timing(0.025)]])],
    ]);
    expect(`\n${formatComparison(rows, ["ours", "tfjs-wasm", "torch"], results)}\n`).toMatchInlineSnapshot(`
      "
      workload                    unit          ours  tfjs-wasm     torch
      matmul 512                  GFLOP/s   10.0 ±0%   1.22 ±0%         –
        ours over theirs                                   8.2×
      LeNet-5 training, batch 64  images/s   640 ±0%        [1]         –
      copy 256 MiB                GB/s      10.0 ±0%          –  40.0 ±0%
        ours over theirs                                            0.25×

      [1] tfjs-wasm cannot: no gradient
      "
    `);
  });

  it("has no ratio where ours could not be measured", () => {
    const row = { name: "blend", work: 1e9, unit: "GB/s" } as const;
    const results = new Map<string, Map<string, Result>>([
      ["ours", new Map([["blend", { cannot: "too large" }]])],
      ["torch", new Map([["blend", { median: 1, min: 1, max: 1 }]])],
    ]);
    const table = formatComparison([row], ["ours", "torch"], results);
    expect(table).not.toContain("×");
    expect(table).toContain("[1] ours cannot: too large");
  });
});

describe("sampling", () => {
  it("takes the middle of the samples", () => {
    expect(summarise([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, samples: 3 });
    expect(summarise([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4, samples: 4 });
  });

  it("counts the time until what was queued is done", async () => {
    let queued = 0;
    const run = (times: number) => void (queued = times);
    const finish = () => new Promise<void>((resolve) => setTimeout(resolve, 10 * queued));
    const { min, samples } = await measure({ run, finish });
    expect(samples).toBe(7);
    expect(min).toBeGreaterThan(0.009);
  });

  it("measures nothing where the result is wrong", async () => {
    const check = () => Promise.reject(new Error("wrong result"));
    await expect(measure({ run: () => undefined, check })).rejects.toThrow("wrong result");
  });

  it("runs the parts of a workload one after the other", async () => {
    const seen: string[] = [];
    const part = (name: string) => ({ run: (times: number) => void seen.push(`${name}${times}`) });
    const both = inTurn([part("a"), part("b")]);
    await both.run(2);
    expect(seen).toEqual(["a2", "b2"]);
    expect(both.finish).toBeUndefined();
  });
});

describe("the checks of results", () => {
  const device = new CpuDevice();
  const compute = async (body: (recorder: Recorder) => Tensor<"f32">) => {
    const recording = await record(device, (recorder) => recorder.keep(body(recorder)));
    recording.run();
    return readTensor(recording.result);
  };

  it("pass the reference's matrix product and no other", async () => {
    const workload = { size: 24, dtype: "f32" };
    const inputs = matmulInputs(workload);
    const [a, b] = [inputs.a, inputs.b].map((data) => createTensor(device, [24, 24], { data }));
    const values = await compute((recorder) => matmul(recorder, a, b));
    checkMatmul(workload, inputs, values);
    expect(() => {
      checkMatmul(workload, inputs, new Float32Array(values.length));
    }).toThrow(/wrong result: element \d+, \d+ is 0, expected/);
  });

  it("pass the reference's convolution in both layouts and no other", async () => {
    const workload = { input: [2, 3, 6, 5], outputs: 4, kernel: 3, padding: 1 };
    const inputs = convInputs(workload);
    const x = createTensor(device, inputs.input, { data: inputs.x });
    const w = createTensor(device, inputs.filter, { data: inputs.w });
    const values = await compute((recorder) => conv2d(recorder, x, w, undefined, { padding: 1 }));
    const [, maps, rows, columns] = inputs.output;
    checkConv(workload, inputs, ([n, c, row, column]) => values[((n * maps + c) * rows + row) * columns + column]);
    const last = channelsLast(values, inputs.output);
    const atLast = ([n, c, row, column]: readonly number[]) => last[((n * rows + row) * columns + column) * maps + c];
    checkConv(workload, inputs, atLast);
    expect(() => {
      checkConv({ padding: 0 }, inputs, atLast);
    }).toThrow("wrong result");
  });

  it("find what is no number", () => {
    checkFinite([0, -1], "logit");
    expect(() => {
      checkFinite([0, NaN], "logit");
    }).toThrow("wrong result: logit 1 is NaN");
  });

  it("work on labels that sum to one, and filters in both layouts", () => {
    const { targets } = trainingInputs({ network: "lenet5", batch: 3 });
    for (let row = 0; row < 3; row++) {
      const sum = targets.subarray(10 * row, 10 * row + 10).reduce((total, value) => total + value, 0);
      expect(sum).toBeCloseTo(1, 5);
    }
    // Two filters over one channel: the taps of both lie side by side.
    expect([...filtersLast(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), [2, 1, 2, 2])]).toEqual([1, 5, 2, 6, 3, 7, 4, 8]);
  });
});
