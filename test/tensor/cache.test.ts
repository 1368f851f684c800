import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cacheFolder, readCache, writeCache } from "../../src/tensor/webgpu/cache.node.js";

describe("the cache", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "activemixup-cache-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("gives back what was kept last under a name and a key, and nothing else", () => {
    const value = { dialect: "flags", sizes: [16, 16, 16], none: null };
    expect(readCache("probe", "a driver", folder)).toBeUndefined();
    expect(writeCache("probe", "a driver", "older", folder)).toBe(true);
    expect(writeCache("probe", "a driver", value, folder)).toBe(true);
    expect(writeCache("probe", "another driver", 2, folder)).toBe(true);
    expect(writeCache("winners", "a driver", 3, folder)).toBe(true);
    expect(readCache("probe", "a driver", folder)).toEqual(value);
    expect(readCache("probe", "another driver", folder)).toBe(2);
    expect(readCache("winners", "a driver", folder)).toBe(3);
    expect(readCache("probe", "a third driver", folder)).toBeUndefined();
  });

  it("leaves whole files that say what they are about, and nothing beside them", () => {
    const inside = join(folder, "not", "there", "yet");
    expect(writeCache("probe", "a driver", [1], inside)).toBe(true);
    const [file, ...others] = readdirSync(inside);
    expect(others).toEqual([]);
    expect(file).toMatch(/^probe-[0-9a-f]{16}\.json$/);
    expect(JSON.parse(readFileSync(join(inside, file), "utf8"))).toEqual({ key: "a driver", value: [1] });
  });

  it.each(["", "{", "null", "[]", '{"value":1}', '{"key":"another","value":1}', "\0\0"])(
    "holds nothing where its file is %j, and takes a value again",
    (damaged) => {
      writeCache("probe", "a driver", 1, folder);
      const [file] = readdirSync(folder);
      writeFileSync(join(folder, file), damaged);
      expect(readCache("probe", "a driver", folder)).toBeUndefined();
      expect(writeCache("probe", "a driver", 2, folder)).toBe(true);
      expect(readCache("probe", "a driver", folder)).toBe(2);
    },
  );

  it("keeps nothing, and says so, where its folder cannot be written to", () => {
    const blocked = join(folder, "a file");
    writeFileSync(blocked, "");
    expect(writeCache("probe", "a driver", 1, blocked)).toBe(false);
    expect(writeCache("probe", "a driver", 1, join(blocked, "below"))).toBe(false);
    expect(readCache("probe", "a driver", blocked)).toBeUndefined();
    // A folder in the file's place: the draft is written, and cannot be renamed.
    writeCache("probe", "a driver", 1, folder);
    const [file] = readdirSync(folder).filter((name) => name.endsWith(".json"));
    rmSync(join(folder, file));
    mkdirSync(join(folder, file, "full"), { recursive: true });
    expect(writeCache("probe", "a driver", 1, folder)).toBe(false);
    expect(readdirSync(folder).sort()).toEqual(["a file", file].sort());
  });

  it("lies where the system keeps such files, or where XDG_CACHE_HOME says", () => {
    const elsewhere = join(tmpdir(), "elsewhere");
    expect(cacheFolder({ XDG_CACHE_HOME: elsewhere }, "linux")).toBe(join(elsewhere, "activemixup"));
    for (const XDG_CACHE_HOME of [undefined, "", "relative"]) {
      expect(cacheFolder({ XDG_CACHE_HOME }, "linux")).toBe(join(homedir(), ".cache", "activemixup"));
    }
    expect(cacheFolder({}, "darwin")).toBe(join(homedir(), "Library", "Caches", "activemixup"));
    expect(cacheFolder({}, "win32")).toBe(join(homedir(), "AppData", "Local", "activemixup"));
    expect(cacheFolder({ LOCALAPPDATA: elsewhere }, "win32")).toBe(join(elsewhere, "activemixup"));
  });
});
