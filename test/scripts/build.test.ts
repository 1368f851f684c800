import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { nodeImports, output } from "../../scripts/build/chunks.mjs";
import { stripWgsl } from "../../scripts/build/wgsl.mjs";

/** What a compiler sees of WGSL: names, numbers and marks, the longest first. */
function tokensOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, " ");
  return code.match(/[\w.]+|<<=|>>=|&&|\|\||->|--|\+\+|<<|>>|[-+*/%&|^<>=!]=|\S/g) ?? [];
}

describe("WGSL in the build", () => {
  test("loses comments, indentation and spaces that separate nothing", () => {
    const source =
      "// Doc.\n\nfn f(a: i32, b: i32) -> i32 {\n  /* a\n  note */ let c = a - -b;\n\n  return c + b; // Sum.\n}\n";
    expect(stripWgsl(source)).toBe("fn f(a:i32,b:i32)-> i32{let c=a - -b;\nreturn c+b;}\n");
  });

  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".wgsl"));

  test("keeps every token of every kernel", () => {
    expect(files.length).toBeGreaterThan(50);
    for (const file of files) {
      const source = readFileSync(`src/${file}`, "utf8");
      expect(tokensOf(stripWgsl(source)), file).toEqual(tokensOf(source));
      expect(stripWgsl(source).length, file).toBeLessThan(source.length);
    }
  });
});

describe("chunks of the build", () => {
  test.each([
    [["/p/src/tensor/tensor.ts"], "chunks/[name].js"],
    [["/p/src/tensor/tensor.ts", "/p/src/tensor/webgpu/dawn.node.ts"], "node/[name].js"],
    [["/p/bench/cases/case.ts"], "bench/chunks/[name].js"],
    [["/p/bench/cases/case.ts", "/p/cli/table.ts"], "chunks/[name].js"],
  ])("%j: %s", (moduleIds, name) => expect(output.chunkFileNames({ moduleIds })).toBe(name));

  test("import what needs Node by way of package.json", () => {
    const { renderChunk } = nodeImports();
    expect(renderChunk('await import("../node/dawn.node.js"); import("./node/a.js"); import("./open.js")')).toBe(
      'await import("#node/dawn.node.js"); import("#node/a.js"); import("./open.js")',
    );
  });
});
