import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeExcess, pack } from "../../scripts/bundle/archive.mjs";
import { parseArguments, UsageError } from "../../scripts/bundle/arguments.mjs";
import { listFiles, packageFolders, projectParts, takesFile } from "../../scripts/bundle/contents.mjs";
import { describeUnfit } from "../../scripts/bundle/stage.mjs";

const folder = mkdtempSync(join(tmpdir(), "activemixup-bundle-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("the command line", () => {
  test("has defaults", () => {
    expect(parseArguments([])).toEqual({ out: undefined, level: 6, help: false });
    expect(parseArguments(["--out", "a.tar.xz", "--level=1"])).toEqual({ out: "a.tar.xz", level: 1, help: false });
  });

  test.each<[string[], RegExp]>([
    [["--level", "10"], /^--level 10: expected a whole number from 0 to 9$/],
    [["--level", "fast"], /^--level fast: expected/],
    [["--out", "a.zip"], /^--out a\.zip: expected a name that ends in \.tar\.xz/],
    [["--size", "3"], /^Unknown option '--size'.*--help/],
    [["file"], /^Unexpected argument 'file'.*--help/],
  ])("refuses %j", (words, message) => {
    expect(() => parseArguments(words)).toThrow(UsageError);
    expect(() => parseArguments(words)).toThrow(message);
  });

  test("a mistake is one line and exit code 2", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/bundle.mjs", "--level", "x"], {
      encoding: "utf8",
    });
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: "",
      stderr: "bundle: --level x: expected a whole number from 0 to 9\n",
    });
  });
});

describe("packages", () => {
  const lock = {
    "": {},
    "node_modules/a": { dependencies: { b: "1", "@types/x": "1" } },
    "node_modules/b": { dependencies: { a: "1", c: "2" }, optionalDependencies: { "d-linux": "1", "d-mac": "1" } },
    "node_modules/b/node_modules/c": { dependencies: { e: "1" } },
    "node_modules/c": {},
    "node_modules/d-linux": {},
    "node_modules/d-mac": {},
    "node_modules/e": {},
    "node_modules/unused": {},
  };
  const installed = (path: string) => path !== "node_modules/d-mac";

  test("are all that the roots load: nearest first, in rings, without types and other platforms", () => {
    expect(packageFolders(lock, ["a"], installed)).toEqual([
      "node_modules/a",
      "node_modules/b",
      "node_modules/b/node_modules/c",
      "node_modules/d-linux",
      "node_modules/e",
    ]);
  });

  test("that are missing have a cure", () => {
    expect(() => packageFolders(lock, ["a"], (path) => path !== "node_modules/e")).toThrow(/package e .*npm ci/);
  });
});

describe("files", () => {
  test.each([
    ["node_modules/webgpu/index.js", true],
    ["node_modules/webgpu/LICENSE.md", true],
    ["node_modules/webgpu/dist/linux-x64/dawn.node", true],
    ["node_modules/webgpu/dist/linux-arm64/dawn.node", false],
    ["node_modules/webgpu/dist/win32-x64/dxcompiler-LICENSE.TXT", false],
    ["node_modules/webgpu/build/build.js", false],
    ["node_modules/esbuild/bin/esbuild", false],
    ["node_modules/esbuild/lib/main.js", true],
    ["node_modules/esbuild/LICENSE.md", true],
    ["node_modules/vite/README.md", false],
    ["node_modules/vite/index.d.ts", false],
    ["dist/src/index.d.ts", false],
    ["dist/src/index.js", true],
    ["src/wgsl-modules.d.ts", true],
  ])("%s: %s", (path, expected) => expect(takesFile(path, "linux-x64")).toBe(expected));

  test("of a package leave out the packages that lie in it", () => {
    mkdirSync(join(folder, "pack/lib/node_modules/other"), { recursive: true });
    for (const name of ["pack/b.js", "pack/lib/a.js", "pack/lib/node_modules/other/c.js"]) {
      writeFileSync(join(folder, name), "");
    }
    expect(listFiles(folder, "pack")).toEqual(["pack/b.js", "pack/lib/a.js"]);
    expect(listFiles(folder, "pack/b.js")).toEqual(["pack/b.js"]);
  });

  test("of this project: what runs the command is there, what only builds and checks is not", () => {
    const read = (name: string) => JSON.parse(readFileSync(name, "utf8")) as Record<string, unknown>;
    const parts = projectParts({
      manifest: read("package.json"),
      lock: read("package-lock.json"),
      installed: existsSync,
      tests: readdirSync("test"),
      peers: ["torch_bench.py", "compare.mjs", "package.json", "node_modules"],
    });
    const paths = parts.flatMap((part) => part.paths);
    for (const path of ["dist", "node_modules/commander", "node_modules/vitest", "test/kernels", "test/close.ts"]) {
      expect(paths).toContain(path);
    }
    expect(paths.filter((path) => path.startsWith("bench/peers/"))).toEqual([
      "bench/peers/torch_bench.py",
      "bench/peers/compare.mjs",
    ]);
    expect(paths.filter((path) => /typescript|eslint|prettier/.test(path))).toEqual([]);
    expect(new Set(paths).size).toBe(paths.length);
  });
});

test("a Node that cannot run elsewhere is refused", () => {
  expect(describeUnfit({ platform: "linux", arch: "x64", variables: { node_shared: false } })).toBeUndefined();
  expect(describeUnfit({ platform: "darwin", arch: "arm64", variables: {} })).toMatch(/^this is darwin-arm64.*Linux/);
  const linked = { node_shared: true, node_shared_zlib: true, v8_enable_shared_ro_heap: 1 };
  expect(describeUnfit({ platform: "linux", arch: "x64", variables: linked })).toMatch(
    /\(node_shared, node_shared_zlib\).*nodejs\.org/,
  );
});

describe("the archive", () => {
  const parts = [
    { name: "Node", bytes: 3 * 2 ** 20 },
    { name: "tests", bytes: 2 ** 19 },
  ];

  test("that is too large says what it is made of", () => {
    expect(describeExcess(45 * 2 ** 20, parts)).toBeUndefined();
    expect(describeExcess(45 * 2 ** 20 + 2 ** 19, parts)).toBe(
      "the archive has 45.5 MiB, at most 45.0 MiB are allowed; before compression: Node 3.0 MiB, tests 0.5 MiB",
    );
  });

  test("is written whole, for every user to read", () => {
    const source = join(folder, "packed");
    mkdirSync(source);
    writeFileSync(join(source, "run"), "#!/bin/sh\n", { mode: 0o700 });
    writeFileSync(join(source, "text"), "words", { mode: 0o600 });
    const file = join(folder, "packed.tar.xz");
    const { bytes, sha256 } = pack({ parent: folder, name: "packed", file, level: 1, parts });
    expect(readFileSync(file).length).toBe(bytes);
    expect(execFileSync("sha256sum", [file], { encoding: "utf8" }).split(" ")[0]).toBe(sha256);
    const rows = execFileSync("tar", ["tvf", file], { encoding: "utf8" }).trim().split("\n");
    expect(rows.map((row) => row.replace(/^(\S+) (\S+) .* (\S+)$/, "$1 $2 $3"))).toEqual([
      "drwxr-xr-x 0/0 packed/",
      "-rwxr-xr-x 0/0 packed/run",
      "-rw-r--r-- 0/0 packed/text",
    ]);
    expect(() => pack({ parent: folder, name: "absent", file: join(folder, "no.tar.xz"), level: 1, parts })).toThrow(
      /^tar failed/,
    );
    expect(readdirSync(folder).filter((name) => name.includes(".tar.xz"))).toEqual(["packed.tar.xz"]);
  });
});

describe("the run script", () => {
  const bundle = join(folder, "bundle's");
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";

  beforeAll(() => {
    mkdirSync(join(bundle, "bin"), { recursive: true });
    writeFileSync(join(bundle, "bin/node"), "");
    chmodSync(join(bundle, "bin/node"), 0o755);
  });

  /** Runs the script with a Node that is the shell script `node`. */
  function run(node: string, words: string[], forMachine = machine) {
    const script = readFileSync("scripts/bundle/launch/run", "utf8").replaceAll("@MACHINE@", forMachine);
    writeFileSync(join(bundle, "run"), script, { mode: 0o755 });
    writeFileSync(join(bundle, "bin/node"), `#!/bin/sh\n${node}\n`);
    const { status, stdout, stderr } = spawnSync(join(bundle, "run"), words, {
      encoding: "utf8",
      cwd: tmpdir(),
      env: { PATH: "/usr/bin:/bin" },
    });
    return { status, stdout, stderr };
  }

  test.each([
    ["bench", `echo "$FROM $@"`, "two words dist/bench/main.js --filter a b\n"],
    ["doctor", `echo "$FROM $@"`, "two words dist/cli/main.js --filter a b\n"],
  ])("%s: passes on its words and the environment that machine.mjs chooses", (command, rest, expected) => {
    const node = `case $* in --version) ;; *machine.mjs) echo "export FROM='two words'" ;; *) ${rest} ;; esac`;
    const { status, stdout } = run(node, [command, "--filter", "a b"]);
    const words = command === "bench" ? stdout : stdout.replace(" doctor", "");
    expect(words.replace(`${bundle}/`, "")).toBe(expected);
    expect(status).toBe(0);
  });

  test.each<[string, RegExp]>([
    ["node: /lib/libc.so.6: version 'GLIBC_2.34' not found", /glibc 2\.34 is needed.*Ubuntu 22\.04.*container/],
    ["node: version 'GLIBCXX_3.4.30' not found", /install libstdc\+\+6/],
    ["libstdc++.so.6: cannot open shared object file: No such file or directory", /install libstdc\+\+6/],
    ["libatomic.so.1: cannot open shared object file: No such file or directory", /a library that Node needs/],
    ["Segmentation fault", /does not start: Segmentation fault/],
  ])("explains %s", (said, cure) => {
    const { status, stdout, stderr } = run(`echo "${said}" >&2; exit 1`, ["doctor"]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(cure);
    expect(stderr).toContain(said);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  test("says which machine it is for", () => {
    const { status, stderr } = run("", ["doctor"], "riscv64");
    expect(status).toBe(2);
    expect(stderr).toMatch(/^run: this bundle is for Linux riscv64, and this is Linux .*npm run bundle/);
  });
});
