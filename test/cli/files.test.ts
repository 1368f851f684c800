import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { appendDurably, writeWhole } from "../../cli/files.js";
import { temporaryFolder } from "../data/fixtures.js";

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.root, ...names);

describe("writeWhole", () => {
  it("leaves the old file as it was until the new one is whole, and nothing beside it", async () => {
    mkdirSync(at("whole"));
    const path = at("whole", "a.txt");
    writeFileSync(path, "old");
    const seen: string[] = [];
    function* content(): Generator<string> {
      for (const part of ["new", " file"]) {
        yield part;
        seen.push(readFileSync(path, "utf8"));
      }
    }
    await writeWhole(path, content());
    expect(seen).toEqual(["old", "old"]);
    expect(readFileSync(path, "utf8")).toBe("new file");
    expect(readdirSync(at("whole"))).toEqual(["a.txt"]);
  });

  it("keeps the old file where the new one cannot be finished", async () => {
    mkdirSync(at("failed"));
    const path = at("failed", "a.txt");
    writeFileSync(path, "old");
    function* content(): Generator<string> {
      yield "half";
      throw Object.assign(new Error("no space"), { code: "ENOSPC" });
    }
    await expect(writeWhole(path, content())).rejects.toThrow(`${path} cannot be written (ENOSPC)`);
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(at("failed"))).toEqual(["a.txt"]);
    await expect(writeWhole(at("failed", "new.txt"), content())).rejects.toThrow("ENOSPC");
    expect(existsSync(at("failed", "new.txt"))).toBe(false);
  });
});

it("appendDurably adds to the end, in parts or at once, and gives the length", async () => {
  const path = at("lines.txt");
  expect(await appendDurably(path, "a\n")).toBe(2);
  expect(await appendDurably(path, ["b\n", "c\n"])).toBe(6);
  expect(readFileSync(path, "utf8")).toBe("a\nb\nc\n");
});
