// What goes into the bundle: which packages, and which of their files. Pure but for `listFiles`.

import { readdirSync, statSync } from "node:fs";
import { join, posix } from "node:path";

/** Packages that the kernel tests need beside the dependencies of the package itself. */
const TEST_PACKAGES = ["fast-check", "vite", "vitest"];

/** What the kernel tests need of the project beside `test/kernels`, `test/tensor` and the files next to them. */
const TEST_SOURCES = ["src", "test/kernels", "test/tensor", "scripts/build", "vite.config.ts", "tsconfig.json"];

const LICENCE = /^(licen[cs]e|notice|copying|thirdpartynotice)/i;
const NEVER_READ = /\.(d\.[cm]?ts|map|md|markdown)$/;

/**
 * The folders of packages that `roots` load, directly or by way of others, in the order of their names. Packages of
 * nothing but types are left out, as are optional ones that are not installed (those of other platforms).
 * @param {Record<string, { dependencies?: object, optionalDependencies?: object }>} packages `packages` of the lock file
 * @param {readonly string[]} roots names of packages
 * @param {(folder: string) => boolean} installed whether a folder exists
 * @returns {string[]} for example `node_modules/commander`
 */
export function packageFolders(packages, roots, installed) {
  const found = new Set();
  const visit = (from, name, optional) => {
    if (/^@types\/|^@webgpu\/types$/.test(name)) return;
    const folder = resolvePackage(packages, from, name);
    if (folder === undefined || !installed(folder)) {
      if (optional) return;
      throw new Error(`the package ${name} is not installed: run \`npm ci\` first`);
    }
    if (found.has(folder)) return;
    found.add(folder);
    const { dependencies = {}, optionalDependencies = {} } = packages[folder];
    for (const next of Object.keys(dependencies)) visit(folder, next, next in optionalDependencies);
    for (const next of Object.keys(optionalDependencies)) visit(folder, next, true);
  };
  for (const name of roots) visit("", name, false);
  return [...found].sort();
}

/** Node's own search: the nearest `node_modules` upwards from the folder that asks. */
function resolvePackage(packages, from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(folder.lastIndexOf("/node_modules/"), 0))) {
    const candidate = posix.join(folder, "node_modules", name);
    if (candidate in packages) return candidate;
    if (folder === "") return undefined;
  }
}

/**
 * Whether the bundle takes a file. Of Dawn it takes one platform's addon, of packages no type declarations, source maps
 * and manuals, and always the licences.
 * @param {string} path from the project's root, with `/`
 * @param {string} platform `linux-x64`
 */
export function takesFile(path, platform) {
  const dawn = /^node_modules\/webgpu\/(.*)$/.exec(path)?.[1];
  if (dawn !== undefined) {
    return ["index.js", "package.json", "LICENSE.md"].includes(dawn) || dawn.startsWith(`dist/${platform}/`);
  }
  // A copy of the program that lies in the package for the platform, which is where esbuild looks first.
  if (path.startsWith("node_modules/esbuild/bin/")) return false;
  if (LICENCE.test(posix.basename(path))) return true;
  return !(path.startsWith("node_modules/") || path.startsWith("dist/")) || !NEVER_READ.test(path);
}

/**
 * The parts of the bundle that are copied from the project: a name for the table of sizes, and files and folders.
 * @param {{ manifest: object, lock: object, installed: (folder: string) => boolean, tests: readonly string[],
 *   peers: readonly string[] }} project `package.json` and `package-lock.json` as objects, the names of the files in
 *   `test` and in `bench/peers`
 * @returns {{ name: string, paths: string[] }[]}
 */
export function projectParts({ manifest, lock, installed, tests, peers }) {
  const own = packageFolders(lock.packages, Object.keys(manifest.dependencies), installed);
  const all = packageFolders(lock.packages, [...Object.keys(manifest.dependencies), ...TEST_PACKAGES], installed);
  const helpers = tests.filter((name) => name.endsWith(".ts")).map((name) => `test/${name}`);
  const scripts = peers.filter((name) => /\.(mjs|py)$/.test(name)).map((name) => `bench/peers/${name}`);
  return [
    { name: "activemixup and its benchmarks", paths: ["dist", "package.json"] },
    { name: "its dependencies, with Dawn", paths: own },
    {
      name: "kernel tests, with vitest",
      paths: [...TEST_SOURCES, ...helpers, ...all.filter((it) => !own.includes(it))],
    },
    { name: "licence, and scripts for PyTorch", paths: ["LICENSE", ...scripts] },
  ];
}

/**
 * The files under a path, without those of packages that lie in it.
 * @param {string} root the project
 * @param {string} path a file or a folder in it
 * @returns {string[]} paths from `root`, with `/`, sorted
 */
export function listFiles(root, path) {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path))
    .sort()
    .filter((name) => name !== "node_modules")
    .flatMap((name) => listFiles(root, posix.join(path, name)));
}
