// Sees to it that there is a Chromium: where none lies at CHROMIUM or /usr/bin/chromium, installs Debian's with apt-get.
// `npm test` runs this first. Exits with 1 and a message that says what to do where that cannot be had.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const file = process.env.CHROMIUM ?? "/usr/bin/chromium";
if (!existsSync(file)) {
  const root = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  const apt = [...root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"];
  const run = (...words) => spawnSync(apt[0], [...apt.slice(1), ...words], { encoding: "utf8", maxBuffer: 2 ** 26 });
  run("update");
  const { stdout, stderr } = run("install", "-y", "--no-install-recommends", "chromium");
  if (!existsSync(file)) {
    console.error(
      `get-browser: there is no ${file}, and apt-get did not bring it; install Chromium, and name its program in ` +
        `CHROMIUM\n${stdout ?? ""}${stderr ?? ""}`,
    );
    process.exitCode = 1;
  }
}
