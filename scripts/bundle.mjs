// `npm run bundle`: one archive that runs activemixup, its benchmarks and its kernel tests on a machine without Node,
// packages or network. What is in it: bundle/contents.mjs and bundle/stage.mjs; how it is used: docs/gpu.md.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath, URL } from "node:url";
import { mebibytes, pack, requireTools } from "./bundle/archive.mjs";
import { parseArguments, USAGE, UsageError } from "./bundle/arguments.mjs";
import { describeUnfit, stage } from "./bundle/stage.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}

/** Of which state of the sources the bundle is, so that results which come back can be told apart. */
function describeSources() {
  const git = (...words) => spawnSync("git", ["-C", root, ...words], { encoding: "utf8" }).stdout?.trim();
  return { commit: git("rev-parse", "HEAD") || null, changed: Boolean(git("status", "--porcelain")) };
}

function checkReady(file) {
  const { platform, arch, config } = process;
  const unfit = describeUnfit({ platform, arch, variables: config.variables });
  if (unfit) throw new UsageError(unfit);
  for (const path of ["dist/cli/main.js", "dist/bench/main.js"]) {
    if (!existsSync(join(root, path))) throw new UsageError(`${path} is missing: \`npm run bundle\` builds it first`);
  }
  if (!existsSync(dirname(file))) throw new UsageError(`--out ${file}: there is no folder ${dirname(file)}`);
  requireTools();
}

function makeBundle({ out, level }) {
  const { version } = readJson("package.json");
  const platform = `${process.platform}-${process.arch}`;
  const name = `activemixup-${version}-${platform}`;
  const file = resolve(out ?? `${name}.tar.xz`);
  checkReady(file);
  const { version: webgpu } = readJson("node_modules/webgpu/package.json");
  const about = { version, platform, node: process.version, webgpu, ...describeSources() };
  const parent = mkdtempSync(join(tmpdir(), "activemixup-bundle-"));
  try {
    const folder = join(parent, name);
    mkdirSync(folder);
    const { parts, remarks } = stage({ root, folder, platform, about });
    const { bytes, sha256 } = pack({ parent, name, file, level, parts });
    report({ file, bytes, sha256, parts, remarks });
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

function report({ file, bytes, sha256, parts, remarks }) {
  const rows = parts.map((part) => `  ${mebibytes(part.bytes).padStart(9)}  ${part.name}`);
  const notes = remarks.map((remark) => `  ${remark}\n`).join("");
  console.log(`${file}: ${mebibytes(bytes)}; before compression:\n${rows.join("\n")}\n${notes}`);
  console.log(`SHA-256, as sha256sum --check takes it:\n${sha256}  ${basename(file)}`);
}

try {
  const options = parseArguments(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else makeBundle(options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`bundle: ${error.message}`);
  process.exitCode = 2;
}
