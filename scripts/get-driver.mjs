// Sees to it that a WebGPU adapter answers: where none does, installs Mesa's software Vulkan driver (lavapipe) with
// apt-get and asks again. `npm test` runs this first, so that the kernels are always tested on a real WebGPU
// implementation. Exits with 1 and a message that says what to do where that cannot be had.

import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, URL } from "node:url";
import { APT_GET, asRoot, CannotInstall, complaints, hasApt, run } from "./apt.mjs";

const PACKAGES = ["mesa-vulkan-drivers", "libvulkan1"];
const DEBIAN_MIRROR = "http://deb.debian.org/debian";
const DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Asks for an adapter in a child process: its name, or why there is none. */
function askForAdapter(scratch) {
  const script = fileURLToPath(new URL("probe-adapter.mjs", import.meta.url));
  const env = { ...process.env, XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR || scratch };
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [script], {
    env,
    encoding: "utf8",
    timeout: 60_000,
  });
  if (status === 0) return { adapter: stdout.trim() };
  if (status === 3) throw new CannotInstall(`Dawn (the npm package "webgpu") does not load: ${stderr.trim()}`);
  const crash = signal ? `The driver ended the process that asked for an adapter with ${signal}. ` : "";
  return { why: crash + stderr.trim().replace(/\s*\n\s*/g, " ") };
}

function readOsRelease() {
  const lines = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8").split("\n") : [];
  return Object.fromEntries(lines.map((line) => line.replaceAll('"', "").split("=")));
}

/**
 * Options for apt-get that add bookworm-backports for one call: Debian 12's own Mesa is too old for Dawn. The machine's
 * sources stay as they are: the addition goes to a copy of them in `scratch`.
 */
function addBackports(scratch) {
  const targets = spawnSync("apt-get", ["indextargets", "--format", "$(RELEASE) $(REPO_URI)"], { encoding: "utf8" });
  if (/^bookworm-backports /m.test(targets.stdout)) return [];
  const mirror = /^bookworm (\S+)$/m.exec(targets.stdout)?.[1] ?? DEBIAN_MIRROR;
  const own = "/etc/apt/sources.list.d";
  const parts = join(scratch, "sources.list.d");
  mkdirSync(parts);
  for (const name of existsSync(own) ? readdirSync(own) : []) {
    if (/\.(list|sources)$/.test(name)) copyFileSync(join(own, name), join(parts, name));
  }
  const line = `deb [signed-by=${DEBIAN_KEYRING}] ${mirror} bookworm-backports main\n`;
  writeFileSync(join(parts, "activemixup-backports.list"), line);
  return ["-o", `Dir::Etc::sourceparts=${parts}`];
}

function installDriver(scratch) {
  if (process.platform !== "linux") {
    throw new CannotInstall(
      "no WebGPU adapter answers; on macOS and Windows the graphics driver of the system gives one",
    );
  }
  if (!hasApt()) {
    throw new CannotInstall(
      "no WebGPU adapter answers, and this script can install a driver only with apt-get. Install Mesa's lavapipe, " +
        "23.2 or later, by hand (Fedora: mesa-vulkan-drivers vulkan-loader; Arch: vulkan-swrast) and run the tests again",
    );
  }
  const root = asRoot("no WebGPU adapter answers for want of a driver", fileURLToPath(import.meta.url));
  const { ID, VERSION_ID } = readOsRelease();
  const bookworm = ID === "debian" && VERSION_ID === "12";
  const apt = [...root, ...APT_GET, ...(bookworm ? addBackports(scratch) : [])];
  const from = bookworm ? ["-t", "bookworm-backports"] : [];
  console.log("No WebGPU adapter answers: installing Mesa's software Vulkan driver.");
  const update = run([...apt, "update"]);
  const install = run([...apt, "install", "-y", "--no-install-recommends", ...from, ...PACKAGES]);
  if (!install.ok) {
    throw new CannotInstall(
      `apt-get could not install Mesa's software Vulkan driver:\n${complaints(update.output, install.output)}`,
    );
  }
}

function main(scratch) {
  let { adapter, why } = askForAdapter(scratch);
  if (!adapter) {
    installDriver(scratch);
    ({ adapter, why } = askForAdapter(scratch));
  }
  if (!adapter) {
    const chosen = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].filter((name) => process.env[name]);
    const cure = chosen.length ? `unset ${chosen.join(" and ")}` : "Dawn needs a newer Mesa: 23.2 works, 22.3 does not";
    throw new CannotInstall(`Mesa's driver is installed, but no WebGPU adapter answers: ${cure}. ${why}`);
  }
  console.log(`WebGPU adapter: ${adapter}`);
}

const scratch = mkdtempSync(join(tmpdir(), "activemixup-driver-"));
try {
  main(scratch);
} catch (error) {
  if (!(error instanceof CannotInstall)) throw error;
  console.error(`get-driver: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
