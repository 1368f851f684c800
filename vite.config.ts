import { existsSync } from "node:fs";
import { defineConfig } from "vitest/config";

const rooms = ["tensor", "kernels", "nn", "data", "activemixup"];
const entries = ["src/index.ts", ...rooms.map((room) => `src/${room}/index.ts`), "cli/main.ts", "bench/main.ts"].filter(
  (entry) => existsSync(entry),
);

// One module in, one module out: WGSL files become strings, nothing is bundled or minified.
export default defineConfig({
  build: {
    target: "node20",
    outDir: "dist",
    minify: false,
    reportCompressedSize: false,
    lib: { entry: entries, formats: ["es"] },
    rollupOptions: {
      external: (id) => !id.startsWith(".") && !id.startsWith("/"),
      output: { preserveModules: true, preserveModulesRoot: ".", entryFileNames: "[name].js" },
    },
  },
  test: {
    include: ["test/**/*.test.ts"],
    // Dawn objects do not survive in worker threads; each file has a process, hence a device, of its own.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
