import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "webgpu";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  MATRIX_ENABLES,
  MATRIX_FEATURE,
  matrixDialects,
  matrixSource,
} from "../../src/tensor/subgroup-matrix/index.js";
import { dawnOptions, loadDawn } from "../../src/tensor/webgpu/dawn.node.js";
import { findMatrices, type MatrixAdapter } from "../../src/tensor/webgpu/matrices.js";
import { probeMatrices, probeProgram, tryProgram } from "../../src/tensor/webgpu/matrix-probe.node.js";
import { useDevices } from "../devices.js";
import emulatedSource from "../kernels/emulated-matrices.wgsl?raw";

const sizes = { m: 16, n: 16, k: 16 };
const small = { m: 8, n: 16, k: 8 };
const adapter: MatrixAdapter = { name: "a GPU, driver 1", subgroupSize: 32, sizes: [sizes] };
const options = dawnOptions("safe");

describe("the matrices of an adapter", () => {
  const config = (M: number, N: number, K: number, componentType = "f16", resultComponentType = "f32") => ({
    M,
    N,
    K,
    componentType,
    resultComponentType,
  });
  const features = ["shader-f16", "subgroups", MATRIX_FEATURE];
  const info = { description: "a driver", device: "a GPU", subgroupMinSize: 32, subgroupMaxSize: 32 };
  const offering = (change: object, offered = features) =>
    ({ features: new Set(offered), info: { ...info, ...change } }) as unknown as GPUAdapter;

  it("are those of f16 into f32 with sides that fit the tiles, the largest first", async () => {
    const subgroupMatrixConfigs = [
      config(8, 8, 8),
      config(16, 16, 16, "f16", "f16"),
      config(32, 8, 16),
      config(16, 16, 16),
      config(16, 16, 16, "i8", "i32"),
      config(12, 16, 16),
      config(64, 16, 16),
    ];
    const probe = vi.fn(async () => ({ why: "a test" }));
    expect(await findMatrices(offering({ subgroupMatrixConfigs }), probe)).toEqual({ why: "a test" });
    const [[asked]] = probe.mock.calls as unknown as [[MatrixAdapter]];
    expect(asked.name).toContain("a GPU");
    expect(asked.subgroupSize).toBe(32);
    expect(asked.sizes.map(({ m, n, k }) => [m, n, k])).toEqual([
      [32, 8, 16],
      [16, 16, 16],
      [8, 8, 8],
    ]);
  });

  it("are not tried where they could not be used, and the reason is said", async () => {
    const subgroupMatrixConfigs = [config(16, 16, 16)];
    const probe = () => expect.fail("probed");
    const reasons = await Promise.all([
      findMatrices(offering({ subgroupMatrixConfigs }, ["shader-f16", "subgroups"]), probe),
      findMatrices(offering({ subgroupMatrixConfigs }, ["subgroups", MATRIX_FEATURE]), probe),
      findMatrices(offering({ subgroupMatrixConfigs, subgroupMaxSize: 64 }), probe),
      findMatrices(offering({ subgroupMatrixConfigs: [config(16, 16, 16, "f16", "f16")] }), probe),
      findMatrices(offering({}), probe),
      findMatrices(offering({ subgroupMatrixConfigs }), undefined),
    ]);
    expect(reasons).toEqual([
      { why: "the adapter does not offer them" },
      { why: "the adapter has no f16" },
      { why: "the adapter's subgroups are of no fixed size" },
      { why: "the adapter multiplies none of f16 into f32 with sides of 8, 16 or 32" },
      { why: "the adapter multiplies none of f16 into f32 with sides of 8, 16 or 32" },
      { why: "they are not tried out here, only where the package loads Dawn itself" },
    ]);
  });
});

describe("the probe", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "activemixup-probe-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const { expected } = probeProgram(sizes, 32, matrixSource("template"));
  const right = `console.log(JSON.stringify({ values: ${JSON.stringify(expected)} }));`;
  const readJob = `import { appendFileSync, readFileSync } from "node:fs"; const job = JSON.parse(readFileSync(0, "utf8"));`;
  const crash = `{ process.kill(process.pid, "SIGKILL"); setTimeout(() => {}, 60_000); }`;

  const probe = (child: string, more: { timeout?: number; sizes?: MatrixAdapter["sizes"] } = {}) =>
    probeMatrices(
      { ...adapter, sizes: more.sizes ?? adapter.sizes },
      { options, folder, child, timeout: more.timeout },
    );

  it("gives the child all that it needs, and takes the first dialect whose numbers are right", async () => {
    const { matrix } = await probe(`${readJob} writeJob(); ${right}
      function writeJob() { appendFileSync(${JSON.stringify(join(folder, "job"))}, JSON.stringify(job)); }`);
    expect(matrix).toEqual({ ...sizes, dialect: "template" });
    const job = JSON.parse(readFileSync(join(folder, "job"), "utf8")) as Record<string, unknown>;
    expect(job).toMatchObject({
      options,
      features: ["shader-f16", "subgroups", MATRIX_FEATURE],
      size: expected.length,
    });
    expect(job.dawn).toMatch(/^file:.*webgpu/);
    expect(job.code).toContain("row_major");
  });

  it("falls through to the other dialect, then to smaller sizes", async () => {
    expect((await probe(`${readJob} if (job.code.includes("row_major")) ${crash} else ${right}`)).matrix).toEqual({
      ...sizes,
      dialect: "argument",
    });
    const ofSmall = JSON.stringify(probeProgram(small, 32, []).expected);
    const child = `${readJob} if (job.size === 256) console.log(JSON.stringify({ values: ${ofSmall} })); else ${crash}`;
    expect((await probe(child, { sizes: [sizes, small] })).matrix).toEqual({ ...small, dialect: "template" });
  });

  it.each<[string, string, RegExp]>([
    ["crashes", crash, /: the trial process was ended by SIGKILL without an answer; 16×16×16 \(argument\)/],
    ["ends with an error", "process.exit(3);", /ended with 3 without an answer/],
    ["talks nonsense", 'console.log("hello");', /ended with 0 without an answer/],
    ["breaks off", "process.stdout.write('{\"values\":[1,');", /ended with 0 without an answer/],
    ["says null", 'console.log("null");', /ended with 0 without an answer/],
    ["says why not", 'console.log(JSON.stringify({ error: "no such type" }));', /\(template\): no such type; /],
    ["gives too few numbers", "console.log(JSON.stringify({ values: [] }));", /: wrong numbers; .*: wrong numbers/],
    ["gives a wrong number", right.replace(/\d+\]/, "NaN]"), /: wrong numbers; .*: wrong numbers/],
  ])("uses no matrices where the child %s", async (_, child, why) => {
    const verdict = await probe(child);
    expect(verdict.matrix).toBeUndefined();
    expect(verdict.why).toMatch(why);
    expect(verdict.why).toContain("remove it to try again");
  });

  it("gives up after one child that hangs", async () => {
    const count = join(folder, "count");
    const child = `${readJob} appendFileSync(${JSON.stringify(count)}, "x"); setInterval(() => {}, 1000);`;
    const verdict = await probe(child, { timeout: 1500, sizes: [sizes, small] });
    expect(verdict.why).toMatch(/^16×16×16 \(template\): no answer in 1.5 s \(remembered/);
    expect(readFileSync(count, "utf8")).toBe("x");
  });

  describe("remembers", () => {
    const counting = (child: string) =>
      `${readJob} appendFileSync(${JSON.stringify(join(folder, "count"))}, "x"); ${child}`;
    const children = () => readFileSync(join(folder, "count"), "utf8").length;
    const answerFile = () =>
      join(
        folder,
        readdirSync(folder).find((name) => name.startsWith("subgroup-matrix-"))!,
      );

    /** The probe as another process would run it: with nothing but the file. */
    async function probeAfresh(child: string, change: Partial<MatrixAdapter> = {}, changed = options) {
      vi.resetModules();
      const fresh = await import("../../src/tensor/webgpu/matrix-probe.node.js");
      return fresh.probeMatrices({ ...adapter, ...change }, { options: changed, folder, child });
    }

    it.each(["right", "wrong"])("what came out %s, for the same adapter, driver and options", async (outcome) => {
      const child = counting(outcome === "right" ? right : `console.log("{}");`);
      const first = await probe(child);
      const tried = children();
      expect(tried).toBe(outcome === "right" ? 1 : 2);
      expect(await probe(child)).toBe(first);
      expect(await probeAfresh(child)).toEqual(first);
      expect(children()).toBe(tried);
      await probeAfresh(child, { name: "a GPU, driver 2" });
      await probeAfresh(child, {}, dawnOptions("fast"));
      expect(children()).toBe(3 * tried);
    });

    it.each(["", "{}", '{"key":1}', "[]"])("nothing where its file is %j", async (damaged) => {
      const child = counting(right);
      const first = await probe(child);
      writeFileSync(answerFile(), damaged);
      expect(await probeAfresh(child)).toEqual(first);
      expect(children()).toBe(2);
    });

    it.each([null, 7, {}, { why: 1 }, { why: "", matrix: null }, { why: "", matrix: { ...sizes, dialect: "other" } }])(
      "nothing where its file holds %j",
      async (value) => {
        const child = counting(right);
        const first = await probe(child);
        const kept = JSON.parse(readFileSync(answerFile(), "utf8")) as object;
        writeFileSync(answerFile(), JSON.stringify({ ...kept, value }));
        expect(await probeAfresh(child)).toEqual(first);
        expect(children()).toBe(2);
      },
    );

    it("nothing where no file can be written, and answers all the same", async () => {
      const blocked = join(folder, "blocked");
      writeFileSync(blocked, "");
      const verdict = await probeMatrices(adapter, { options, folder: blocked, child: `console.log("{}");` });
      expect(verdict.why).toMatch(/without an answer$/);
    });
  });
});

describe("the probe's program", () => {
  const devices = useDevices();

  it("sums beyond what f16 holds", () => {
    const { expected } = probeProgram(sizes, 32, matrixSource("template"));
    expect(expected.some((sum) => sum > 2048 && sum % 2 === 1)).toBe(true);
  });

  it.each(matrixDialects)("is WGSL that Dawn takes, dialect %s", async (dialect) => {
    // The backend without a GPU validates and translates everything and computes nothing.
    await loadDawn();
    const nothing = create([...options, "backend=null"]);
    const adapter = (await nothing.requestAdapter())!;
    const { subgroupMaxSize } = adapter.info;
    const device = await adapter.requestDevice({
      requiredFeatures: ["shader-f16", "subgroups", MATRIX_FEATURE] as GPUFeatureName[],
    });
    for (const tried of [sizes, small]) {
      const module = device.createShaderModule({
        code: probeProgram(tried, subgroupMaxSize!, matrixSource(dialect)).code,
      });
      await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
      const { messages } = await module.getCompilationInfo();
      expect(messages.filter(({ type }) => type === "error")).toEqual([]);
    }
    device.destroy();
  });

  it("comes out right from the child process, with matrices made of plain WGSL", { timeout: 120_000 }, async () => {
    const { subgroupSize, f16 } = devices.gpu.capabilities;
    const enables = MATRIX_ENABLES.filter((name) => !name.includes("matrix"));
    const program = probeProgram(small, subgroupSize || 4, [emulatedSource], enables);
    const failure = await tryProgram(program, ["shader-f16", "subgroups"], { options });
    if (f16 && subgroupSize > 0) expect(failure).toBeUndefined();
    else expect(failure?.message).not.toBe("wrong numbers");
    const wrong = { ...program, expected: program.expected.map((value) => value + 1) };
    if (f16 && subgroupSize > 0) {
      expect((await tryProgram(wrong, ["shader-f16", "subgroups"], { options }))?.message).toBe("wrong numbers");
    }
  });

  it("says in the child's words what does not compile", async () => {
    const program = { code: "nonsense", expected: [1] };
    expect((await tryProgram(program, [], { options }))?.message).toMatch(/pars|invalid/i);
  });

  it("is run on no adapter that does not offer matrices", () => {
    const { info, capabilities } = devices.gpu;
    if (info.software) expect(info.subgroupMatrix).toBe("none, as the adapter does not offer them");
    expect(capabilities.subgroupMatrix === undefined).toBe(info.subgroupMatrix.startsWith("none"));
    expect(devices.cpu.capabilities.subgroupMatrix).toBeUndefined();
  });
});
