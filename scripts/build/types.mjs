// Writes the declarations of the package's entries: TypeScript makes one file a module, and these are joined to what the
// entries export and what that mentions, so that a user finds what there is and nothing else.

import { spawnSync } from "node:child_process";
import { copyFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, URL } from "node:url";
import { rollup } from "rollup";
import { dts } from "rollup-plugin-dts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const declarations = join(root, "dist/declarations");

const compiler = join(root, "node_modules/typescript/bin/tsc");
const { status } = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
if (status !== 0) process.exit(status ?? 1);

const rooms = readdirSync(declarations, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const names = rooms.map(({ name }) => `${name}/index`);
const bundle = await rollup({
  input: Object.fromEntries(names.map((name) => [`src/${name}`, join(declarations, `${name}.d.ts`)])),
  external: (id) => !id.startsWith(".") && !id.startsWith("/"),
  plugins: [dts(), { name: "tabs", renderChunk: (code) => code.replaceAll(/^(?: {4})+/gm, toTabs) }],
});
await bundle.write({
  dir: join(root, "dist"),
  entryFileNames: "[name].d.ts",
  chunkFileNames: "chunks/[name].ts", // The names end in ".d" already.
});
await bundle.close();
// The entry of the whole names the rooms, and nothing of its own.
copyFileSync(join(declarations, "index.d.ts"), join(root, "dist/src/index.d.ts"));
rmSync(declarations, { recursive: true });

/** Four spaces as one tab: indentation is a twentieth of the declarations. */
function toTabs(spaces) {
  return "\t".repeat(spaces.length / 4);
}
