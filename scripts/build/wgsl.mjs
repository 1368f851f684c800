// How WGSL files become modules: `import source from "./add.wgsl?raw"` gives the text without what a compiler skips.

import { readFileSync } from "node:fs";

/**
 * WGSL without comments, indentation and space that separates nothing: the same tokens in two thirds of the bytes, and a
 * line for each statement, since a compiler's errors name lines. WGSL
 * has no strings, so a comment is what looks like one. Around operators spaces go only where a name, a number or a
 * bracket follows on both sides: `a - -b` stays as it is.
 * @param {string} source
 */
export function stripWgsl(source) {
  return source
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "")
    .replace(/^[ \t]+|[ \t]+$/gm, "")
    .replace(/\n{2,}/g, "\n")
    .replace(/ ?([,;:(){}]) ?/g, "$1")
    .replace(/(?<=[,({])\n|\n(?=})/g, "")
    .replace(/(?<=[\w)\]]) ([-+*/%<>=!&|^]=?|&&|\|\||<<|>>) (?=[\w(])/g, "$1")
    .trimStart();
}

/** The plugin of Vite; it takes the place of Vite's own reading of `?raw` for WGSL, in the build and in the tests. */
export function wgsl() {
  return {
    name: "wgsl",
    enforce: /** @type {const} */ ("pre"),
    /** @param {string} id */
    load(id) {
      if (!id.endsWith(".wgsl?raw")) return undefined;
      const file = id.slice(0, -"?raw".length);
      this.addWatchFile(file);
      return `export default ${JSON.stringify(stripWgsl(readFileSync(file, "utf8")))};`;
    },
  };
}
