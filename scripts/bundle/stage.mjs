// Gathers the bundle's files in a folder.

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, URL } from "node:url";
import { UsageError } from "./arguments.mjs";
import { sizeOf } from "./archive.mjs";
import { listFiles, projectParts, takesFile } from "./contents.mjs";

const LAUNCH = fileURLToPath(new URL("launch", import.meta.url));

const LIBRARY_FOLDERS = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];

/** What `uname -m` says where Node says x64 or arm64. */
const MACHINES = { x64: "x86_64", arm64: "aarch64" };

/**
 * Where this Node, copied elsewhere, cannot run on its own; `undefined` where it can.
 * @param {{ platform: string, arch: string, variables: Record<string, unknown> }} node of `process` and its `config`
 */
export function describeUnfit({ platform, arch, variables }) {
  if (platform !== "linux" || !(arch in MACHINES)) {
    return `this is ${platform}-${arch}, and the bundle carries the Node that makes it: make it on Linux, x64 or arm64`;
  }
  const shared = Object.keys(variables).filter((name) => /^node_shared($|_)/.test(name) && variables[name] === true);
  if (shared.length === 0) return undefined;
  return (
    `this Node needs libraries beside it (${shared.join(", ")}), which the other machine lacks: ` +
    "make the bundle with a Node from nodejs.org"
  );
}

/**
 * Fills `folder` with everything that the bundle holds.
 * @param {{ root: string, folder: string, platform: string, about: object }} bundle the project, an empty folder,
 *   for example `linux-x64`, and what `bundle.json` says
 * @returns {{ parts: { name: string, bytes: number }[], remarks: string[] }} sizes, and what is missing
 */
export function stage({ root, folder, platform, about }) {
  const parts = readProject(root).map(({ name, paths }) => ({
    name,
    bytes: copyPaths({ root, folder, platform }, paths),
  }));
  const node = copyProgram(process.execPath, join(folder, "bin/node"));
  shrink(node, (file) => [file, "--version"]);
  const dawn = join(folder, "node_modules/webgpu/dist", platform, "dawn.node");
  const saved = shrink(dawn, (file) => [node, "-e", "require(process.argv[1])", file]);
  parts.find((part) => part.name.includes("Dawn")).bytes -= saved;
  const remarks = [...copyLoader(folder), ...copyLicences(folder)];
  copy(join(root, "docs/gpu.md"), join(folder, "GPU.md"));
  copyLaunch(folder, platform.split("-")[1]);
  writeFileSync(join(folder, "bundle.json"), `${JSON.stringify(about, null, 2)}\n`);
  return { parts: [{ name: `Node ${process.version}`, bytes: sizeOf(node) }, ...parts], remarks };
}

function readProject(root) {
  const read = (name) => JSON.parse(readFileSync(join(root, name), "utf8"));
  const peers = join(root, "bench/peers");
  return projectParts({
    manifest: read("package.json"),
    lock: read("package-lock.json"),
    installed: (path) => existsSync(join(root, path)),
    tests: readdirSync(join(root, "test")),
    peers: existsSync(peers) ? readdirSync(peers) : [],
  });
}

/** Copies files and folders to the same places in the bundle; gives their bytes. */
function copyPaths({ root, folder, platform }, paths) {
  const files = paths.flatMap((path) => listFiles(root, path)).filter((file) => takesFile(file, platform));
  for (const file of files) copy(join(root, file), join(folder, file));
  return files.reduce((sum, file) => sum + sizeOf(join(folder, file)), 0);
}

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
  return to;
}

function copyProgram(from, to) {
  copy(realpathSync(from), to);
  chmodSync(to, 0o755);
  return to;
}

/** Takes out a program's symbols where `strip` is there and the program still runs; gives the bytes that it saved. */
function shrink(file, trial) {
  const smaller = `${file}.stripped.node`;
  const before = sizeOf(file);
  try {
    if (spawnSync("strip", ["-o", smaller, file]).status !== 0) return 0;
    const [program, ...words] = trial(smaller);
    if (spawnSync(program, words).status !== 0) return 0;
    copyFileSync(smaller, file);
    return before - sizeOf(file);
  } finally {
    rmSync(smaller, { force: true });
  }
}

/** The Vulkan loader, for machines that have a driver and no loader. */
function copyLoader(folder) {
  const loader = LIBRARY_FOLDERS.map((place) => join(place, "libvulkan.so.1")).find((file) => existsSync(file));
  if (!loader) return ["without the Vulkan loader, libvulkan.so.1: this machine has none, so the other one must"];
  copy(realpathSync(loader), join(folder, "lib/libvulkan.so.1"));
  return [];
}

/** The licences of what does not bring its own along. */
function copyLicences(folder) {
  const nodes = [join(dirname(realpathSync(process.execPath)), "../LICENSE"), "/usr/share/doc/nodejs/LICENSE"];
  const loaders = ["/usr/share/doc/libvulkan1/copyright", "/usr/share/licenses/vulkan-loader/LICENSE.txt"];
  const remarks = [];
  for (const [name, places] of [
    ["node", nodes],
    ["vulkan-loader", loaders],
  ]) {
    const place = places.find((file) => existsSync(file));
    if (place) copy(place, join(folder, "licences", `${name}.txt`));
    else remarks.push(`without the licence of ${name}: none found; add it before you pass the archive on to others`);
  }
  return remarks;
}

function copyLaunch(folder, arch) {
  for (const name of readdirSync(LAUNCH)) copy(join(LAUNCH, name), join(folder, "launch", name));
  const script = readFileSync(join(LAUNCH, "run"), "utf8");
  if (!script.includes("@MACHINE@")) throw new UsageError("scripts/bundle/launch/run lacks @MACHINE@");
  rmSync(join(folder, "launch/run"));
  writeFileSync(join(folder, "run"), script.replaceAll("@MACHINE@", MACHINES[arch]), { mode: 0o755 });
}
