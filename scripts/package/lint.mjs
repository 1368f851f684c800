import { join } from "node:path";
import { root, run } from "./run.mjs";

/**
 * publint and attw ("are the types wrong") on the tarball. Of attw the profile `esm-only`: the package has no CommonJS,
 * which Node ≥ 20.19 can `require` all the same, and TypeScript's old `moduleResolution: node10` knows no `exports`.
 */
export function lintManifest(file) {
  run([process.execPath, join(root, "node_modules/publint/src/cli.js"), "run", file, "--strict"]);
  const attw = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
  run([process.execPath, attw, file, "--profile", "esm-only", "--no-emoji", "--no-color"]);
  return "clean";
}
