// Makes the built files small: the package is downloaded and parsed more often than it is read. Classes keep their
// names, since errors and their messages tell them.

/** The plugin of Vite. Terser is loaded by a build alone: the tests run without it. */
export function minify() {
  return {
    name: "minify",
    renderChunk: {
      order: /** @type {const} */ ("post"), // Vite's own pass, which comes between, writes white space.
      /** @param {string} code */
      async handler(code) {
        const terser = await import("terser");
        const result = await terser.minify(code, {
          module: true,
          ecma: 2020,
          compress: { passes: 2 },
          keep_classnames: true,
          format: { max_line_len: 480 }, // Node shows the line in which an error was thrown.
        });
        return { code: result.code ?? "", map: null };
      },
    },
  };
}
