import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "vite";

const require = createRequire(import.meta.url);

/**
 * Makes one JavaScript file of a TypeScript file and all that it imports, for a child process of Node.
 * @param entry from the repository's root
 * @param folder where the file goes; packages are found from anywhere
 * @param absent packages that the child looks for beside itself, where they are not
 * @returns the file
 */
export async function bundleChild(entry: string, folder: string, absent: string[] = []): Promise<string> {
  await build({
    configFile: false,
    logLevel: "error",
    build: {
      ssr: entry,
      outDir: folder,
      emptyOutDir: false,
      target: "node20",
      minify: false,
      rollupOptions: {
        external: ["fs-native-extensions"],
        output: {
          entryFileNames: "[name].mjs",
          chunkFileNames: "[name]-[hash].mjs",
          paths: (id) => (id.startsWith("node:") || absent.includes(id) ? id : pathToFileURL(require.resolve(id)).href),
        },
      },
    },
  });
  const name = entry.replace(/^.*\//, "").replace(/\.ts$/, ".mjs");
  if (!readdirSync(folder).includes(name)) throw new Error(`${entry} did not become ${name}`);
  return join(folder, name);
}
