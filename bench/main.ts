import { Command, Option } from "commander";
import { openDevice } from "../src/tensor/index.js";
import { formatTable } from "../cli/table.js";
import { cases } from "./cases.js";
import { measure } from "./measure.js";

interface BenchOptions {
  readonly profile: "safe" | "fast";
  readonly filter: string;
  readonly json: boolean;
}

const program = new Command("bench")
  .description("time the kernels, training, inference and pool scoring on this machine's WebGPU adapter")
  .addOption(
    new Option("--profile <name>", "Dawn's toggles: fast leaves out validation and bounds checks")
      .choices(["safe", "fast"])
      .default("safe"),
  )
  .option("--filter <text>", "only rows whose names hold the text", "")
  .option("--json", "print one JSON object", false)
  .parse();
const options = program.opts<BenchOptions>();

const scale = { "GFLOP/s": 1e9, "GB/s": 1e9, "images/s": 1, "blends/s": 1, "scores/s": 1e6 };
const device = await openDevice("webgpu", { profile: options.profile });
const { adapter, driver, toggles } = device.info;
const rows = [];
try {
  for (const { name, unit, work, record } of cases.filter((entry) => entry.name.includes(options.filter))) {
    process.stderr.write(`${name}\n`);
    const { recording, dispose } = await record(device);
    const timing = await measure(recording);
    dispose();
    const rate = (seconds: number) => work / seconds / scale[unit];
    rows.push({
      name,
      unit: unit === "scores/s" ? "M scores/s" : unit,
      rate: rate(timing.median),
      lowest: rate(timing.slowest),
      highest: rate(timing.fastest),
      milliseconds: 1000 * timing.median,
    });
  }
} finally {
  device.destroy();
}

if (options.json) {
  process.stdout.write(`${JSON.stringify({ device: device.info, node: process.version, rows })}\n`);
} else {
  const round = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
  const cells = rows.map((row) => [
    row.name,
    row.milliseconds.toPrecision(3),
    round(row.rate),
    `${round(row.lowest)}–${round(row.highest)}`,
    row.unit,
  ]);
  process.stdout.write(
    `${adapter}\ndriver: ${driver}\ntoggles: ${toggles.join(", ") || "none"}\nNode ${process.version}\n\n` +
      `${formatTable([["row", "ms", "median", "range", "unit"], ...cells])}\n`,
  );
}
