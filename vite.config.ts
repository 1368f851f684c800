import { existsSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { nodeImports, output } from "./scripts/build/chunks.mjs";
import { minify } from "./scripts/build/minify.mjs";
import { wgsl } from "./scripts/build/wgsl.mjs";

const rooms = ["tensor", "kernels", "nn", "data", "activemixup"];
const modules = ["src/index", ...rooms.map((room) => `src/${room}/index`), "src/needs-node", "cli/main", "bench/main"];
// The bundle for machines without Node carries this file, and no cli nor bench.
const entries = Object.fromEntries(
  modules.map((name) => [name, `${name}.ts`]).filter(([, file]) => existsSync(file!)),
) as Record<string, string>;

/** The test files that take longest where no shader is cached yet, by far more than their length says. */
const LONGEST = [
  "nn/training-step",
  "kernels/fast-profile",
  "cli/tune",
  "kernels/matmul",
  "kernels/conv2d",
  "cli/kill",
  "kernels/matmul-half",
  "activemixup/teacher/exec-teacher",
].map((name) => `/test/${name}.test.ts`);

/** Begins with the longest files, so that at the end no worker is left alone with one of them. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = LONGEST.findIndex((path) => moduleId.endsWith(path));
      return place < 0 ? LONGEST.length : place;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  plugins: [wgsl(), nodeImports(), minify()],
  build: {
    target: "node20",
    outDir: "dist",
    minify: false, // Of libraries Vite minifies but half; scripts/build/minify.mjs does it.
    reportCompressedSize: false,
    lib: { entry: entries, formats: ["es"] },
    rollupOptions: {
      external: (id) => !id.startsWith(".") && !id.startsWith("/"),
      output,
    },
  },
  test: {
    include: ["test/**/*.test.ts"],
    // Dawn objects do not survive in worker threads; each file has a process, hence a device, of its own.
    pool: "forks",
    env: {
      // What is tested is text without colours, whatever the terminal that runs the tests has.
      FORCE_COLOR: "0",
      // Each worker's software driver computes in one thread: kernel tests take 12% less time so (two cores, 2026-11-24).
      LP_NUM_THREADS: "1",
    },
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
