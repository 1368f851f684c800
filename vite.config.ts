import { existsSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const rooms = ["tensor", "kernels", "nn", "data", "activemixup"];
const entries = ["src/index.ts", ...rooms.map((room) => `src/${room}/index.ts`), "cli/main.ts", "bench/main.ts"].filter(
  (entry) => existsSync(entry),
);

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
    // What is tested is text without colours, whatever the terminal that runs the tests has.
    env: { FORCE_COLOR: "0" },
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
