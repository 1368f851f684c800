import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, createLogger } from "vite";
import { Fault } from "./run.mjs";

/** Bundles rooms of the engine for browsers, and requires that no Node module is met. */
export async function bundleForBrowsers(project) {
  const folder = join(project, "page");
  mkdirSync(folder);
  const names = ["tensor", "kernels", "nn", "data", "activemixup"];
  const lines = names.map((room) => `import * as ${room} from "activemixup/${room}";`);
  writeFileSync(join(folder, "page.js"), `${lines.join("\n")}\nglobalThis.rooms = { ${names.join(", ")} };\n`);
  const warnings = [];
  /** Of other packages' modules only what is amiss with ours counts. */
  const warn = (message) => {
    if (!/node_modules\/(?!activemixup\/)/.test(message)) warnings.push(message);
  };
  const customLogger = createLogger("warn");
  customLogger.warn = warn;
  const [{ output }] = [
    await build({
      root: folder,
      configFile: false,
      customLogger,
      logLevel: "warn",
      build: {
        write: false,
        rollupOptions: { input: join(folder, "page.js"), onwarn: ({ message }) => warn(message) },
      },
    }),
  ];
  if (warnings.length > 0) throw new Fault(`a bundle for browsers gives warnings: ${warnings.join("\n")}`);
  const code = output.map((chunk) => ("code" in chunk ? chunk.code : "")).join("\n");
  const found = /__vite-browser-external|from\s*["']node:|import\s*\(?["']node:/.exec(code);
  if (found) throw new Fault(`a bundle for browsers holds ${found[0]}`);
  if (!code.includes("needs Node"))
    throw new Fault("the bundle for browsers lacks the module that stands in for Node's");
  return `${code.length} bytes`;
}
