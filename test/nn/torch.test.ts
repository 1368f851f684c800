import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  architectures,
  BatchNorm,
  Conv2d,
  decodeNetwork,
  decodeSafetensors,
  encodeNetwork,
  encodeState,
  Flatten,
  importWeights,
  Linear,
  namedParameters,
  Sequential,
} from "../../src/nn/index.js";
import { CpuDevice, createTensor, readTensor, record } from "../../src/tensor/index.js";
import { expectClose, f32Tolerance } from "../close.js";
import { temporaryFolder } from "../data/fixtures.js";
import { anyImages, anyNetwork, anySpec, logitsOf } from "./any-network.js";

/** What PyTorch gave, and its weights as it saved them: written by `torch-fixture.py`. */
const fixture = JSON.parse(readFileSync(new URL("torch-fixture.json", import.meta.url), "utf8")) as {
  weights: string;
  input: number[];
  outputs: Record<"conv" | "bn" | "flatten" | "fc", number[]>;
};

const cpu = new CpuDevice(true);
afterAll(() => {
  cpu.destroy();
});

describe("PyTorch's weights", () => {
  it("give PyTorch's numbers, layer by layer", async () => {
    const parts = {
      conv: new Conv2d(2, 3, 3, { stride: 2, padding: 1 }),
      bn: new BatchNorm(3),
      flatten: new Flatten(),
      fc: new Linear(12, 2),
    };
    const { tensors } = decodeSafetensors(Buffer.from(fixture.weights, "base64"), "fixture");
    const parameters = namedParameters(new Sequential(parts));
    expect([...tensors.keys()]).toEqual([...parameters.keys()]);
    for (const [name, parameter] of parameters) {
      const { shape, data } = tensors.get(name)!;
      expect(shape).toEqual(parameter.shape);
      parameter.place(createTensor(cpu, shape, { data, name }));
    }
    const images = createTensor(cpu, [2, 2, 4, 4], { data: fixture.input });
    const recording = await record(cpu, (recorder) => {
      let value = images;
      return Object.entries(parts).map(([name, part]) => {
        value = part.forward({ recorder, training: false, seed: 0 }, value).output;
        return [name, recorder.keep(value)] as const;
      });
    });
    recording.run();
    for (const [name, value] of recording.result) {
      const expected = fixture.outputs[name as keyof typeof fixture.outputs];
      expectClose(await readTensor(value), expected, f32Tolerance(18), name);
    }
    recording.dispose();
  });
});

/** Debian's PyTorch belongs to Debian's Python, which may not be the first in the path. */
const python = ["python3", "/usr/bin/python3"].find(
  (name) => spawnSync(name, ["-c", "import torch, numpy"], { stdio: "ignore" }).status === 0,
);

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

function runPython(name: string, input = ""): unknown {
  const { status, stdout, stderr } = spawnSync(python!, [script(name)], {
    input,
    maxBuffer: 2 ** 28,
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** Sums of some thousand products of about 1, in another order, in f32 throughout. */
const LOGITS = { rtol: 0, atol: 1e-4 };

// Not skipped but absent where there is no PyTorch: the numbers above are then what there is of it.
if (python !== undefined) {
  const folder = temporaryFolder();
  const at = (name: string) => join(folder.root, name);
  const count = 1;
  const expected = new Map<string, Float32Array>();
  const foreign = [
    { architecture: "lenet5", dtype: "float16", prefix: "module." },
    { architecture: "alexnet-half", dtype: "bfloat16", prefix: "_orig_mod.module." },
    { architecture: "resnet20", dtype: "float32", prefix: "" },
  ];
  let answers: number[][];

  beforeAll(async () => {
    for (const architecture of architectures) {
      const spec = anySpec(architecture);
      const network = await anyNetwork(cpu, spec, 7);
      writeFileSync(at(`${architecture}.safetensors`), await encodeNetwork(network));
      expected.set(architecture, await logitsOf(network, anyImages(spec, count)));
      network.dispose();
    }
    const asked = [
      ...architectures.map((name) => ({
        file: at(`${name}.safetensors`),
        images: [...anyImages(anySpec(name), count)],
      })),
      ...foreign.map(({ architecture, dtype, prefix }) => {
        const spec = anySpec(architecture);
        return {
          file: at(`torch-${architecture}.safetensors`),
          images: [...anyImages(spec, count)],
          spec,
          dtype,
          prefix,
        };
      }),
    ];
    answers = runPython("torch-check.py", JSON.stringify(asked)) as number[][];
  }, 180_000);

  describe("PyTorch", () => {
    it.each(architectures)("loads the engine's weights by docs/interop.md and gives its logits: %s", (architecture) => {
      expectClose(answers[architectures.indexOf(architecture)], expected.get(architecture)!, LOGITS);
    });

    it.each(foreign)("has its $dtype weights imported: $architecture", async ({ architecture, dtype, prefix }) => {
      const { image, mean, deviation } = anySpec(architecture);
      const file = at(`torch-${architecture}.safetensors`);
      const imported = importWeights(readFileSync(file), file, { architecture, image, mean, deviation });
      expect(imported.prefix).toBe(prefix);
      expect([...imported.converted.keys()]).toEqual(dtype === "float32" ? [] : [dtype === "float16" ? "F16" : "BF16"]);
      const network = decodeNetwork(encodeState(imported.spec, imported.state), file, cpu);
      const own = await logitsOf(network, anyImages(anySpec(architecture), count));
      const index = foreign.findIndex((one) => one.architecture === architecture);
      expectClose(own, answers[architectures.length + index], LOGITS);
      network.dispose();
    });

    it("gives the stored numbers", () => {
      const { outputs } = runPython("torch-fixture.py") as { outputs: Record<string, number[]> };
      const stored = JSON.parse(readFileSync(script("torch-fixture.json"), "utf8")) as { outputs: typeof outputs };
      for (const [layer, values] of Object.entries(stored.outputs)) {
        expectClose(outputs[layer], values, { rtol: 1e-5, atol: 1e-6 }, layer);
      }
    });
  });
}
