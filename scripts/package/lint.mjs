import { join } from "node:path";
import { root, runBeside } from "./run.mjs";

/**
 * publint and attw ("are the types wrong") on the tarball. Of attw the profile `esm-only`: the package has no CommonJS,
 * which Node ≥ 20.19 can `require` all the same, and TypeScript's old `moduleResolution: node10` knows no `exports`.
 */
export async function lintManifest(file) {
  const program = (path) => [process.execPath, join(root, "node_modules", path)];
  await Promise.all([
    runBeside([...program("publint/src/cli.js"), "run", file, "--strict"]),
    runBeside([...program("@arethetypeswrong/cli/dist/index.js"), file, "--profile", "esm-only", "--no-emoji"]),
  ]);
  return "clean";
}
