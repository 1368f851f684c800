// Checks what `npm pack` gives, as a user gets it: what is in it, whether package.json keeps its word, whether it installs
// in an empty project, imports, type-checks, is free of Node in a browser, and runs the examples. Runs after
// `npm run build`. What is checked is in `package/`, a file a part.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { bundleForBrowsers } from "./package/browser.mjs";
import { runExamples } from "./package/examples.mjs";
import { checkImports } from "./package/imports.mjs";
import { install } from "./package/install.mjs";
import { lintManifest } from "./package/lint.mjs";
import { checkContents, pack } from "./package/pack.mjs";
import { Fault } from "./package/run.mjs";
import { checkTypes } from "./package/types.mjs";

const scratch = mkdtempSync(join(tmpdir(), "activemixup-package-"));
try {
  const packed = await timed("pack", () => pack(scratch));
  await timed("contents", () => checkContents(packed));
  await timed("publint, attw", () => lintManifest(packed.file));
  const project = await timed("install", () => install(scratch, packed.file));
  await timed("imports", () => checkImports(project));
  await timed("types", () => checkTypes(project));
  await timed("browser", () => bundleForBrowsers(project));
  await timed("examples", () => runExamples(project));
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  console.error(`check-package: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** Runs one check and tells what it says and how long it took. */
async function timed(name, check) {
  const start = performance.now();
  const result = await check();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${name.padEnd(14)} ${seconds.padStart(5)} s${typeof result === "string" ? `  ${result}` : ""}`);
  return result;
}
