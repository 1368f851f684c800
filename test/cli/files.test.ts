import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { appendDurably, checkWritable, writeWhole } from "../../cli/files.js";
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

  it("replaces what a link leads to, and makes it where it is not there yet", async () => {
    folder.write("target/old.txt", "old");
    mkdirSync(at("links"));
    symlinkSync(join("..", "target", "old.txt"), at("links", "a"));
    symlinkSync("a", at("links", "to a"));
    symlinkSync(join("..", "target", "none", "new.txt"), at("links", "new"));
    symlinkSync(join("..", "target"), at("links", "folder"));
    const ways = [
      ["a", "old.txt"],
      ["to a", "old.txt"],
      ["new", join("none", "new.txt")],
      [join("folder", "old.txt"), "old.txt"],
      [join("folder", "other.txt"), "other.txt"],
    ];
    for (const [link, target] of ways) {
      const path = at("links", link);
      await checkWritable("--out", path);
      await writeWhole(path, link);
      expect(readFileSync(at("target", target), "utf8")).toBe(link);
    }
    expect(readlinkSync(at("links", "to a"))).toBe("a");
    expect(readdirSync(at("links")).sort()).toEqual(["a", "folder", "new", "to a"]);
    expect(readdirSync(at("target")).sort()).toEqual(["none", "old.txt", "other.txt"]);
  });

  it.skipIf(process.platform === "win32")("writes into a pipe that has a name, and leaves it there", async () => {
    mkdirSync(at("pipes"));
    execFileSync("mkfifo", [at("pipes", "pipe")]);
    symlinkSync("pipe", at("pipes", "link"));
    for (const name of ["pipe", "link"]) {
      const reader = spawn("cat", [at("pipes", name)], { stdio: ["ignore", "pipe", "inherit"] });
      let read = "";
      reader.stdout.setEncoding("utf8").on("data", (text: string) => (read += text));
      const closed = once(reader, "close");
      try {
        await checkWritable("--out", at("pipes", name));
        await writeWhole(at("pipes", name), ["some", " lines"]);
        expect(lstatSync(at("pipes", "pipe")).isFIFO()).toBe(true);
        await closed;
      } finally {
        reader.kill();
      }
      expect(read).toBe("some lines");
    }
    expect(readdirSync(at("pipes")).sort()).toEqual(["link", "pipe"]);
  });
});

it("appendDurably adds to the end, in parts or at once, and gives the length", async () => {
  const path = at("lines.txt");
  expect(await appendDurably(path, "a\n")).toBe(2);
  expect(await appendDurably(path, ["b\n", "c\n"])).toBe(6);
  expect(readFileSync(path, "utf8")).toBe("a\nb\nc\n");
});
