import { cpSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { root, run, Fault } from "./run.mjs";

/** The examples, and what each prints at its end. The teachers' examples are tested in test/activemixup/teacher. */
const EXAMPLES = {
  "embed-engine.mjs": /^4 5 10 11$/,
  "own-network.mjs": /^loss 0\.\d{3}, accuracy [6-9]\d\.\d%, chance is 10%$/,
  "own-strategy.mjs": /^round 2: 180 queries, agrees with the teacher on \d\d\.\d%$/,
  "own-kernel.mjs": /^0\.1269 0\.3133 0\.6931 1\.3133 2\.1269$/,
};

/** Runs each example in the project, from the installed package. */
export function runExamples(project) {
  const folder = join(project, "examples");
  cpSync(join(root, "examples"), folder, { recursive: true });
  for (const [name, expected] of Object.entries(EXAMPLES)) {
    const last = run([process.execPath, name], { cwd: folder }).trim().split("\n").at(-1);
    if (!expected.test(last)) throw new Fault(`examples/${name} printed "${last}"; expected ${expected}`);
  }
  symlinkSync(join(root, "node_modules/fast-check"), join(project, "node_modules/fast-check"));
  run([process.execPath, "--test", "own-kernel.test.mjs"], { cwd: folder });
  return `${Object.keys(EXAMPLES).length + 1} run`;
}
