import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Fault, run } from "./run.mjs";

const ROOMS = ["tensor", "kernels", "nn", "data", "activemixup"];

/** Loads a room, computes on the CPU, and only then opens a device: tells what was loaded before and after. */
const CHILD = `
import { register } from "node:module";
import { MessageChannel } from "node:worker_threads";

const addons = [];
const { dlopen } = process;
process.dlopen = (module, file, ...rest) => { addons.push(file); return dlopen.call(process, module, file, ...rest); };

const { port1, port2 } = new MessageChannel();
const urls = [];
port1.on("message", (url) => urls.push(url)).unref();
const hooks = "let port; export const initialize = (given) => { port = given; };" +
  "export async function resolve(specifier, context, next) {" +
  " const result = await next(specifier, context); port.postMessage(result.url); return result; }";
register("data:text/javascript," + encodeURIComponent(hooks), { data: port2, transferList: [port2] });

const told = async () => {
  await new Promise((resolve) => setTimeout(resolve, 50));
  return { urls: urls.splice(0), addons: addons.splice(0) };
};
const room = await import("activemixup/" + process.argv[2]);
const { openDevice } = await import("activemixup/tensor");
(await openDevice("cpu")).destroy();
const before = await told();
if (process.argv[3] === "open") (await openDevice("auto")).destroy();
console.log(JSON.stringify({ names: Object.keys(room), before, after: await told() }));
`;

/**
 * Requires that every room can be imported and that `tensor`, `kernels` and `nn` load nothing but the package's own files,
 * and no addon, until a device other than the CPU is asked for.
 */
export function checkImports(project) {
  const child = join(project, "loads.mjs");
  writeFileSync(child, CHILD);
  for (const room of ["kernels", "nn", "tensor"]) {
    const open = room === "tensor" ? ["open"] : [];
    const output = run([process.execPath, child, room, ...open], { cwd: project });
    const { names, before, after } = JSON.parse(output.trim().split("\n").at(-1));
    if (names.length === 0) throw new Fault(`activemixup/${room} exports nothing`);
    const foreign = before.urls.filter((url) => !url.includes("/node_modules/activemixup/dist/"));
    if (foreign.length > 0) throw new Fault(`activemixup/${room} loads ${foreign.join(", ")}; expected its own files`);
    if (before.addons.length > 0) throw new Fault(`activemixup/${room} loads the addon ${before.addons.join(", ")}`);
    if (open.length > 0 && !after.addons.some((file) => file.endsWith("dawn.node"))) {
      throw new Fault(`activemixup/${room}: openDevice("auto") loaded no Dawn, so this check sees nothing`);
    }
  }
  const specifiers = ["activemixup", ...ROOMS.map((room) => `activemixup/${room}`), "activemixup/package.json"];
  const script = `
    import { InputError } from "activemixup/tensor";
    if (new InputError("").name !== "InputError") throw new Error("errors lost their names");
    for (const name of ${JSON.stringify(specifiers)}) {
      await import(name, name.endsWith(".json") ? { with: { type: "json" } } : {});
    }`;
  run([process.execPath, "--input-type=module", "--eval", script], { cwd: project });
  return run([join(project, "node_modules/.bin/activemixup"), "--version"], { cwd: project }).trim();
}
