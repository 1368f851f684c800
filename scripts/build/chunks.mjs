// Which file of `dist/` holds what. Modules are joined to one file for each set of entries that load them, so a file
// with a `*.node.ts` in it is never loaded by a room of the engine, but by `import()` or by the command. Those lie in
// `dist/node/`, and `import()` finds them by way of package.json's `imports`: in a browser `#node/…` is one small module
// that says what is missing, and a bundler for browsers meets no Node module.

/** Where the entries of the package and its command lie; the benchmarks' own chunks stay out of the package. */
export const output = {
  entryFileNames: "[name].js",
  /** @param {{ moduleIds: string[] }} chunk */
  chunkFileNames: ({ moduleIds }) => {
    if (moduleIds.some((id) => id.endsWith(".node.ts"))) return "node/[name].js";
    return moduleIds.every((id) => id.includes("/bench/")) ? "bench/chunks/[name].js" : "chunks/[name].js";
  },
};

/** The plugin of Vite that writes `import("#node/…")` for imports of files in `dist/node/`. */
export function nodeImports() {
  return {
    name: "node-imports",
    /** @param {string} code */
    renderChunk(code) {
      return code.replace(/\bimport\((["'])(?:\.{1,2}\/)+node\/([\w.-]+\.js)\1\)/g, 'import("#node/$2")');
    },
  };
}
