import { cpus } from "node:os";
import { help, parseArguments, UsageError } from "./arguments.mjs";
import { listEngines } from "./engines.mjs";
import { ask } from "./protocol.mjs";
import { formatComparison } from "./table.mjs";
import { chooseWorkloads, rate } from "./workloads.mjs";

/** Seconds that an engine has to say what it is. */
const HELLO_SECONDS = 120;

const say = (line) => process.stderr.write(`${line}\n`);

/**
 * Asks ours and the chosen peers what they are.
 * @returns {Promise<object[]>} those that answer, each with `about`, ours first
 */
async function greet(engines) {
  const present = [];
  for (const engine of engines) {
    const { about, missing, cannot, ending } = await ask(engine, engine.hello ?? [], { timeout: HELLO_SECONDS });
    if (about) present.push({ ...engine, about });
    else if (engine.name === "ours") throw new UsageError(`ours ${cannot ?? missing ?? ending}`);
    else if (cannot) say(`${engine.name} is left out: ${cannot}`);
    else say(`${engine.name} is left out: ${missing ?? ending}; install it: ${engine.cure}`);
  }
  return present;
}

/** Measures workload by workload, all engines in turn, so that the machine's drift meets all of them. */
async function measureAll(workloads, engines, { timeout }) {
  const results = new Map(engines.map(({ name }) => [name, new Map()]));
  for (const [index, workload] of workloads.entries()) {
    for (const engine of engines) {
      if (engine.name !== "ours" && workload.peers && !workload.peers.includes(engine.name)) continue;
      say(`[${index + 1}/${workloads.length}] ${workload.name}: ${engine.name} …`);
      const { results: answers, cannot, ending } = await ask(engine, [workload.name], { timeout });
      const result = answers.get(workload.name) ?? { cannot: cannot ?? ending };
      results.get(engine.name).set(workload.name, result);
      const { median } = result;
      say(median ? `    ${rate(workload, median).toPrecision(3)} ${workload.unit}` : `    cannot: ${result.cannot}`);
    }
  }
  return results;
}

const noRows = ({ only }) => `--only ${only.map((text) => `"${text}"`).join(", ")}: no row's name holds it; see --full`;

function describeMachine({ device }, engines, { profile, set, wait }, date) {
  const versions = engines.flatMap(({ about }) => Object.entries(about.versions));
  const unique = [...new Map(versions)].map(([name, version]) => `${name} ${version}`);
  const torch = engines.find(({ name }) => name === "torch");
  return [
    `device: ${device.adapter}${device.software ? " (software)" : ""}, rows for: ${set}`,
    `driver: ${device.driver}`,
    `Dawn profile ${profile}: ${device.toggles.join(", ") || "no toggles"}`,
    `peers on WebGPU wait ${wait === "paused" ? "with pauses, as ours does" : "without pauses, ours with them"}`,
    ...(torch ? [`torch's device: ${torch.about.device.adapter}`] : []),
    `processors: ${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`,
    `versions: Node ${process.versions.node}, ${unique.join(", ")}`,
    `date: ${date}`,
  ];
}

async function main() {
  const options = parseArguments(process.argv.slice(2));
  if (options.help) return process.stdout.write(`${help}\n`);
  const date = new Date().toISOString().slice(0, 10);
  const chosen = listEngines(options).filter(({ name }) => name === "ours" || options.peers.includes(name));
  const engines = await greet(chosen);
  const { about } = engines[0];
  const set = options.set ?? (about.device.software ? "cpu" : "gpu");
  const workloads = chooseWorkloads({ ...options, set });
  if (workloads.length === 0) throw new UsageError(noRows(options));
  const results = await measureAll(workloads, engines, options);
  if (options.json) {
    const rows = workloads.map(({ name, unit, work }) => ({
      name,
      unit,
      work,
      results: Object.fromEntries([...results].map(([engine, found]) => [engine, found.get(name)])),
    }));
    const abouts = engines.map((engine) => engine.about);
    process.stdout.write(
      `${JSON.stringify({ date, node: process.version, profile: options.profile, wait: options.wait, set, engines: abouts, rows })}\n`,
    );
  } else {
    const head = describeMachine(about, engines, { ...options, set }, date).join("\n");
    const names = engines.map(({ name }) => name);
    process.stdout.write(`${head}\n\n${formatComparison(workloads, names, results)}\n`);
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  say(`compare: ${error.message}`);
  process.exitCode = 2;
}
