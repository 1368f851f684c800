import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.mjs";

/** Installs the tarball in an empty project, its dependencies from npm's cache where they are; gives the folder. */
export function install(scratch, file) {
  const project = join(scratch, "project");
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "project", private: true, type: "module" }));
  run(["npm", "install", file, "--prefer-offline", "--no-audit", "--no-fund", "--omit=optional"], { cwd: project });
  return project;
}
