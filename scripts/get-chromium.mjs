// Sees to it that there is a Chromium for the tests that look at reports in a browser: where none is found, installs
// Debian's with apt-get. `npm test` runs this. Exits with 1 and a message that says what to do where that cannot be had.

import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { APT_GET, asRoot, CannotInstall, complaints, hasApt, run } from "./apt.mjs";

/** Names under which Chromium and its relatives are installed. */
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/** Where macOS has it. */
const APPLICATIONS = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/**
 * The Chromium of this machine: that of the variable CHROMIUM, or the first on the path.
 * @returns {string | undefined} its file
 */
export function findChromium() {
  const { CHROMIUM, PATH = "" } = process.env;
  if (CHROMIUM) return CHROMIUM;
  const folders = PATH.split(delimiter).filter((folder) => folder !== "");
  const files = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...files, ...APPLICATIONS].find((file) => isProgram(file));
}

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function install() {
  const cure =
    "install Chromium or Google Chrome, or name the program in the variable CHROMIUM, and run the tests again";
  if (!hasApt()) {
    throw new CannotInstall(`there is no Chromium, and this script can install it only with apt-get: ${cure}`);
  }
  const apt = [...asRoot("there is no Chromium", fileURLToPath(import.meta.url)), ...APT_GET];
  console.log("There is no Chromium: installing it.");
  const update = run([...apt, "update"]);
  const { ok, output } = run([...apt, "install", "-y", "--no-install-recommends", "chromium"]);
  if (ok) return;
  throw new CannotInstall(`apt-get could not install chromium: ${cure}\n${complaints(update.output, output)}`);
}

/** What the program says that it is. */
function versionOf(file) {
  const { status, stdout, stderr, error } = spawnSync(file, ["--version"], { encoding: "utf8", timeout: 60_000 });
  if (status === 0) return stdout.trim();
  throw new CannotInstall(`${file} does not start: ${(error?.message ?? stderr).trim()}; install Chromium anew`);
}

function main() {
  if (!findChromium()) install();
  const file = findChromium();
  if (!file)
    throw new CannotInstall("chromium is installed, but is not on the PATH; name the program in the variable CHROMIUM");
  console.log(`browser: ${versionOf(file)}`);
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main();
  } catch (error) {
    if (!(error instanceof CannotInstall)) throw error;
    console.error(`get-chromium: ${error.message}`);
    process.exitCode = 1;
  }
}
