import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as data from "../../src/data/index.js";

/** Every module that loading `file` loads at once: type imports and imports on call are left out. */
function loadedModules(file: URL, seen = new Set<string>()): Set<string> {
  const source = readFileSync(file, "utf8");
  for (const [, specifier] of source.matchAll(/^(?:import|export)\s(?!type\b)[^;]*?from\s+"([^"]+)"/gm)) {
    const module = specifier.startsWith(".") ? new URL(specifier.replace(/\.js$/, ".ts"), file) : specifier;
    if (seen.has(String(module))) continue;
    seen.add(String(module));
    if (module instanceof URL) loadedModules(module, seen);
  }
  return seen;
}

test("loading the room loads no module of Node and no package", () => {
  const index = new URL("../../src/data/index.ts", import.meta.url);
  const modules = [...loadedModules(index)];
  expect(modules.some((module) => module.endsWith("src/data/digits.ts"))).toBe(true);
  expect(modules.filter((module) => !module.startsWith("file:") || module.includes(".node."))).toEqual([]);
  expect([...loadedModules(new URL("open.node.ts", index))]).toContain("pngjs");
});

test("the room's public names", () => {
  expect(Object.keys(data).sort()).toEqual([
    "bytesPerImage",
    "checkLabels",
    "cifarImageSet",
    "countClasses",
    "decodeImages",
    "drawDigits",
    "fits",
    "idxImageSet",
    "openImageSet",
    "parseCifar10",
    "parseCifar100",
    "parseCifarClassNames",
    "parseIdxHeader",
    "parseIdxImages",
    "parseIdxLabels",
    "sameImages",
    "sampleImages",
    "sampleIndices",
    "subset",
  ]);
});
