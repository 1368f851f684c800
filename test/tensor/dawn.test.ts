import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { transformWithEsbuild } from "vite";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { DeviceError } from "../../src/errors.js";
import { dawnVersion, loadDawn, togglesOf, type Profile } from "../../src/tensor/webgpu/dawn.node.js";
import { describeNoAdapter, type DriverFacts } from "../../src/tensor/webgpu/drivers.node.js";

const NOISE = "Warning: maxDynamicUniformBuffersPerPipelineLayout artificially reduced from 1000000 to 16 to fit.\n";

describe("loadDawn", () => {
  afterEach(() => vi.doUnmock("webgpu"));

  /** What validation says of a buffer without usages. */
  async function validate(profile: Profile): Promise<GPUError | null> {
    const adapter = await (await loadDawn({ profile })).requestAdapter();
    const device = await adapter!.requestDevice();
    device.pushErrorScope("validation");
    device.createBuffer({ size: 4, usage: 0 });
    const error = await device.popErrorScope();
    device.destroy();
    return error;
  }

  test("the safe profile validates, the fast one does not", async () => {
    expect((await validate("safe"))?.message).toContain("usages");
    expect(await validate("fast")).toBeNull();
    expect(togglesOf("safe")).not.toContain("skip_validation");
    expect(togglesOf("fast")).toEqual(expect.arrayContaining(["skip_validation", "-timestamp_quantization"]));
  });

  test("has a version", () => {
    expect(dawnVersion()).toMatch(/^Dawn \(webgpu \d+\.\d+\.\d+.*\)$/);
  });

  test("says in one line what it needs where Dawn's library does not load", async () => {
    vi.resetModules();
    vi.doMock("webgpu", () => {
      throw new Error("libc.so.6: version `GLIBC_2.34' not found");
    });
    const { loadDawn: load } = await import("../../src/tensor/webgpu/dawn.node.js");
    const error = (await load().catch((caught: unknown) => caught)) as DeviceError;
    expect(error.code).toBe("device");
    expect(error.message).toMatch(/^Dawn .* does not load on .*glibc 2\.34.*npm ci.*"cpu"$/);
  });
});

describe("in a process of its own", () => {
  // Not in this folder, which may belong to someone else (docs/gpu.md).
  const folder = mkdtempSync(join(tmpdir(), "activemixup-dawn-test-"));

  beforeAll(async () => {
    symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
    for (const name of ["errors", "tensor/webgpu/dawn.node", "tensor/webgpu/quiet.node"]) {
      const { code } = await transformWithEsbuild(readFileSync(`src/${name}.ts`, "utf8"), `${name}.ts`);
      const file = join(folder, `${name}.js`);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, code);
    }
    writeFileSync(join(folder, "package.json"), `{"type":"module"}`);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function run(code: string, stderr: "pipe" | number = "pipe") {
    const script = join(folder, "main.js");
    writeFileSync(script, code);
    return spawnSync(process.execPath, [script], {
      encoding: "utf8",
      timeout: 30_000,
      stdio: ["ignore", "pipe", stderr],
    });
  }

  const talk = (canReopen: boolean) => `
    import { writeSync } from "node:fs";
    import { discoverQuietly } from "./tensor/webgpu/quiet.node.js";
    const said = discoverQuietly(() => writeSync(2, ${JSON.stringify(NOISE)} + "an error\\n"), ${canReopen});
    writeSync(2, "after\\n");
    console.log(said);`;

  test("keeps noise from a stderr that can be opened again, and passes on the rest", () => {
    const log = join(folder, "stderr");
    writeFileSync(log, "before\n");
    const descriptor = openSync(log, "a");
    const { status, stdout } = run(talk(true), descriptor);
    closeSync(descriptor);
    expect(status).toBe(0);
    expect(stdout).toBe(`${NOISE.length + "an error\n".length}\n`);
    const noise = process.platform === "linux" ? "" : NOISE;
    expect(readFileSync(log, "utf8")).toBe(`before\n${noise}an error\nafter\n`);
  });

  test("leaves a pipe as it is", () => {
    expect(run(talk(false)).stderr).toBe(`${NOISE}an error\nafter\n`);
  });

  test("sets the WebGPU globals that are absent, keeps those that are there, and leaves the environment", () => {
    const { stdout } = run(`
      import { loadDawn } from "./tensor/webgpu/dawn.node.js";
      globalThis.GPUColorWrite = "own";
      delete process.env.XDG_RUNTIME_DIR;
      await loadDawn();
      console.log(GPUBufferUsage.STORAGE, GPUColorWrite, process.env.XDG_RUNTIME_DIR);`);
    expect(stdout).toBe("128 own undefined\n");
  });

  test("the process ends by itself after the device is destroyed", () => {
    const { status, stdout } = run(`
      import { loadDawn } from "./tensor/webgpu/dawn.node.js";
      const gpu = await loadDawn();
      const device = await (await gpu.requestAdapter()).requestDevice();
      device.destroy();
      console.log("destroyed");`);
    expect(stdout).toBe("destroyed\n");
    expect(status).toBe(0);
  });
});

describe("describeNoAdapter", () => {
  const healthy: DriverFacts = { platform: "linux", loader: true, drivers: ["lvp_icd.json"], nvidia: false };

  test.each<[string, Partial<DriverFacts>, RegExp]>([
    ["no loader", { loader: false, drivers: [] }, /libvulkan\.so\.1.*apt-get install/],
    ["no driver", { drivers: [] }, /No Vulkan driver.*apt-get install/],
    [
      "a chosen driver that is missing",
      { chosen: { variable: "VK_DRIVER_FILES", missing: ["/no.json"] } },
      /VK_DRIVER_FILES names \/no\.json.*unset/,
    ],
    ["a chosen driver", { chosen: { variable: "VK_ICD_FILENAMES", missing: [] } }, /VK_ICD_FILENAMES is set: unset/],
    ["NVIDIA without Vulkan", { nvidia: true }, /NVIDIA_DRIVER_CAPABILITIES/],
    ["an old Mesa", { mesa: "22.3.6-1+deb12u1" }, /Mesa 22\.3\.6\S* is too old.*backports/],
    ["a new Mesa", { mesa: "25.0.7-2~bpo12+1" }, /lvp_icd\.json.*vulkaninfo/],
    ["another system", { platform: "darwin" }, /Metal/],
  ])("%s", (_, facts, expected) => {
    expect(describeNoAdapter({ ...healthy, ...facts })).toMatch(expected);
  });

  test("reads the facts of this machine", () => {
    expect(describeNoAdapter()).toMatch(/\.$/);
  });
});
