import type { Report, Row } from "../../bench/report.js";

/** A row as if measured, with what a test cares about replaced. */
export function row(changes: Partial<Row> = {}): Row {
  return {
    name: "matmul 512³",
    profile: "safe",
    unit: "GFLOP/s",
    rate: 30.31,
    lowest: 26.7,
    highest: 35.28,
    milliseconds: 8.861,
    samples: [8.861, 7.6, 10.05],
    bound: "multiply-add",
    work: 30.31,
    share: 0.4339,
    ...changes,
  };
}

/** A report of the given rows, as if measured on a software driver. */
export function report(rows: readonly Row[], changes: Partial<Report> = {}): Report {
  return {
    suite: "quick",
    date: "2026-11-24T06:01:26.000Z",
    profile: "safe",
    device: {
      kind: "webgpu",
      adapter: "llvmpipe",
      vendor: "mesa",
      implementation: "Dawn (webgpu 0.6.2)",
      driver: "llvmpipe: Mesa 25.0.7",
      software: true,
      toggles: ["vulkan_enable_f16_on_nvidia", "-timestamp_quantization"],
      subgroupMatrix: "none: the adapter does not offer them",
    },
    tuned: 0,
    dawn: "Dawn (webgpu 0.6.2)",
    node: "v20.20.2",
    system: "Linux 6.1 x64",
    cpus: "2 × AMD EPYC",
    ceilings: {
      "multiply-add": { best: 69.6, passes: [69.6, 65.4] },
      copy: { best: 10.2, passes: [8.03, 10.2] },
    },
    rows,
    ...changes,
  };
}
