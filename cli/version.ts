import { readFileSync } from "node:fs";

/** The nearest package.json above this module: the sources and the built package lie at different depths. */
function packageFile(): URL {
  for (let folder = new URL(/* @vite-ignore */ "./", import.meta.url); ; folder = new URL("../", folder)) {
    const file = new URL("package.json", folder);
    try {
      readFileSync(file);
      return file;
    } catch (error) {
      if (folder.pathname === "/") throw error;
    }
  }
}

/** Version of the package. */
export const { version } = JSON.parse(readFileSync(packageFile(), "utf8")) as { version: string };
