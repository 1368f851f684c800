import { parseArgs } from "node:util";
import { peerNames } from "./engines.mjs";

/** A mistake in the command line: its message is one line for the user. */
export class UsageError extends Error {}

export const help = `Usage: node bench/peers/compare.mjs [options]

Compares this engine with its peers on the same workloads, each in a process of its own, and prints one table of
rates and ratios, ours over theirs, measured in this run.

Options:
  --full             also the rows that take minutes (matmul 2048, VGG-16 training)
  --set cpu|gpu      rows for machines without or with a GPU (default: by the WebGPU adapter that answers)
  --only TEXT        only rows whose names hold the text; several times for rows that hold any of the texts
  --peers A,B        only these of ${peerNames.slice(0, 4).join(", ")},
                     ${peerNames.slice(4).join(", ")} (default: all that are installed)
  --profile safe|fast  Dawn's toggles, for every engine on WebGPU: fast leaves out validation and bounds checks
                     (default: safe)
  --wait paused|plain  how the peers on WebGPU wait for the device: with pauses, as ours does (default), or without,
                     as their own examples do, which keeps a core busy
  --python PATH      the Python that has torch (default: python3)
  --timeout SECONDS  most time for one workload on one engine (default: 300)
  --json             print one JSON object instead of the table
  --help             print this

Install the peers with \`npm ci --prefix bench/peers\`, build this package with \`npm run build\`.`;

const OPTIONS = {
  full: { type: "boolean", default: false },
  set: { type: "string" },
  only: { type: "string", multiple: true, default: [] },
  peers: { type: "string", default: peerNames.join(",") },
  profile: { type: "string", default: "safe" },
  wait: { type: "string", default: "paused" },
  python: { type: "string", default: "python3" },
  timeout: { type: "string", default: "300" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};

/**
 * What the command line asks for.
 * @param {readonly string[]} args without Node and the script
 * @throws UsageError that names the option, what was found and what was expected
 */
export function parseArguments(args) {
  let values;
  try {
    ({ values } = parseArgs({ args: [...args], options: OPTIONS }));
  } catch (error) {
    throw new UsageError(`${error.message.split("\n")[0]}; see --help`);
  }
  const oneOf = (name, choices) => {
    if (values[name] === undefined || choices.includes(values[name])) return;
    throw new UsageError(`--${name} is "${values[name]}"; expected ${choices.join(" or ")}`);
  };
  oneOf("set", ["cpu", "gpu"]);
  oneOf("profile", ["safe", "fast"]);
  oneOf("wait", ["paused", "plain"]);
  const peers = values.peers.split(",").filter((name) => name !== "");
  const stranger = peers.find((name) => !peerNames.includes(name));
  if (stranger !== undefined) {
    throw new UsageError(`--peers names "${stranger}"; expected some of ${peerNames.join(", ")}`);
  }
  const timeout = Number(values.timeout);
  if (!(timeout > 0 && timeout < 1e6)) {
    throw new UsageError(`--timeout is "${values.timeout}"; expected a number of seconds above 0`);
  }
  return { ...values, peers, timeout };
}
