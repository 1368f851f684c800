import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, describe, expect, it } from "vitest";
import { InputError } from "../../src/errors.js";
import { architectures, AvgPool2d, BatchNorm, exportOnnx, onnxClassNames, type Module } from "../../src/nn/index.js";
import { decodeOnnxMetadata } from "../../src/nn/onnx/encode.js";
import { OnnxGraphBuilder } from "../../src/nn/onnx/graph.js";
import { writeModule } from "../../src/nn/module.js";
import { CpuDevice } from "../../src/tensor/index.js";
import { expectClose } from "../close.js";
import { temporaryFolder } from "../data/fixtures.js";
import { anyImages, anyNetwork, anySpec, logitsOf } from "./any-network.js";

const cpu = new CpuDevice(true);
afterAll(() => {
  cpu.destroy();
});

/** Sums of some thousand products of about 1, in another order, in f32 throughout: what the issue asks for. */
const LOGITS = { rtol: 0, atol: 1e-4 };

/** What ONNX Runtime makes of 8-bit images, with all its optimisations. */
async function run(model: Uint8Array, pixels: Uint8Array, shape: readonly number[], float = false) {
  const session = await InferenceSession.create(model, { graphOptimizationLevel: "all", logSeverityLevel: 3 });
  const input = float
    ? new Tensor(
        "float32",
        Float32Array.from(pixels, (pixel) => pixel / 255),
        shape,
      )
    : new Tensor("uint8", pixels, shape);
  try {
    const { logits, probabilities } = await session.run({ images: input });
    return {
      session,
      logits: logits.data as Float32Array,
      shape: logits.dims,
      probabilities: probabilities.data as Float32Array,
    };
  } finally {
    await session.release();
  }
}

const shapeOf = ({ image }: ReturnType<typeof anySpec>, count: number) => [
  count,
  image.channels,
  image.height,
  image.width,
];

describe("an exported network", () => {
  it.each(architectures)("gives the engine's logits in ONNX Runtime: %s", async (architecture) => {
    const spec = anySpec(architecture);
    const network = await anyNetwork(cpu, spec, 1);
    // It takes the CPU reference a second an image, and cannot do with smaller ones.
    const count = architecture === "vgg16" ? 1 : 2;
    const pixels = anyImages(spec, count);
    const expected = await logitsOf(network, pixels);
    const { logits, shape } = await run(await exportOnnx(network), pixels, shapeOf(spec, count));
    expect(shape).toEqual([count, 10]);
    expectClose(logits, expected, LOGITS, architecture);
    // Logits that are all alike would agree whatever the weights.
    const first = expected.slice(0, 10);
    expect(Math.max(...first) - Math.min(...first)).toBeGreaterThan(0.5);
    network.dispose();
  });

  it("takes pixels from 0 to 1, any number of them, and gives probabilities", async () => {
    const spec = { ...anySpec("lenet5-half"), classes: 3, classNames: ["a", 'b "c"', "ü"] };
    const network = await anyNetwork(cpu, spec, 2);
    const model = await exportOnnx(network, { input: "float", version: "1.2.3" });
    for (const count of [1, 5]) {
      const pixels = anyImages(spec, count);
      const { logits, probabilities, shape } = await run(model, pixels, shapeOf(spec, count), true);
      expect(shape).toEqual([count, 3]);
      expectClose(logits, await logitsOf(network, pixels), LOGITS);
      const powers = [...logits.slice(0, 3)].map(Math.exp);
      const sum = powers.reduce((total, power) => total + power);
      expectClose(
        probabilities.slice(0, 3),
        powers.map((power) => power / sum),
        { rtol: 1e-5, atol: 1e-6 },
      );
    }
    expect(await onnxClassNames(model, "m.onnx")).toEqual(spec.classNames);
    const metadata = await decodeOnnxMetadata(model, "m.onnx");
    expect([...metadata.keys()]).toEqual(["architecture", "input", "class_names", "activemixup"]);
    expect(metadata.get("input")).toBe(
      "float32, 0 to 1, N × 1 × 28 × 28 (channels, grey; height; width), not normalised",
    );
    expect(JSON.parse(metadata.get("activemixup")!)).toEqual(spec);
    network.dispose();
  });

  it("says its types and sizes, the number of images free", async () => {
    const network = await anyNetwork(cpu, anySpec("lenet5"), 3);
    const session = await InferenceSession.create(await exportOnnx(network));
    expect(session.inputMetadata).toMatchObject([{ name: "images", type: "uint8", shape: ["batch", 1, 28, 28] }]);
    expect(session.outputMetadata).toMatchObject([
      { name: "logits", type: "float32", shape: ["batch", 10] },
      { name: "probabilities", type: "float32", shape: ["batch", 10] },
    ]);
    await session.release();
    network.dispose();
  });
});

/** Debian's package belongs to Debian's Python, which may not be the first in the path. */
const python = ["python3", "/usr/bin/python3"].find(
  (name) => spawnSync(name, ["-c", "import onnx"], { stdio: "ignore" }).status === 0,
);

// ONNX Runtime checks too, though less: not skipped but absent where there is no package `onnx`.
if (python !== undefined) {
  const folder = temporaryFolder();

  it("passes ONNX's own checker", async () => {
    const paths: string[] = [];
    for (const architecture of ["lenet5-half", "alexnet-half", "resnet20"]) {
      const network = await anyNetwork(cpu, anySpec(architecture), 5);
      paths.push(folder.write(`${architecture}.onnx`, await exportOnnx(network)));
      network.dispose();
    }
    const script = fileURLToPath(new URL("onnx-check.py", import.meta.url));
    const { status, stderr } = spawnSync(python, [script, ...paths]);
    expect(status, String(stderr)).toBe(0);
  });
}

describe("writing a graph", () => {
  it("names nodes after layers, else after operators, each once", async () => {
    const network = await anyNetwork(cpu, anySpec("resnet20"), 4);
    const graph = new OnnxGraphBuilder(network.parameters);
    network.writeOnnx(graph, "images");
    const names = graph.nodes.map(({ name }) => name);
    expect(names.slice(0, 7)).toEqual([
      ...["conv1", "bn1", "relu", "layer1.0.conv1", "layer1.0.bn1", "relu_2", "layer1.0.conv2"],
    ]);
    expect(names).toContain("layer2.0.downsample");
    expect(new Set(names).size).toBe(names.length);
    network.dispose();
  });

  it("averages as the engine does where windows reach over the edge", () => {
    const graph = new OnnxGraphBuilder(new Map());
    new AvgPool2d({ kernel: 3, stride: 2, padding: 1 }).writeOnnx(graph, "x");
    expect(graph.nodes[0]).toMatchObject({
      operator: "AveragePool",
      attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 },
    });
  });

  it("refuses modules that do not say how", () => {
    class Twist implements Module {
      outputShape = (input: readonly number[]) => [...input];
      forward = () => {
        throw new Error("not called");
      };
    }
    expect(() => writeModule(new OnnxGraphBuilder(new Map()), new Twist(), "x")).toThrowErrorMatchingInlineSnapshot(
      `[InputError: export: Twist does not say which ONNX operators it is; give it the method writeOnnx()]`,
    );
    const norm = new BatchNorm(2);
    expect(() => norm.writeOnnx(new OnnxGraphBuilder(new Map()), "x")).toThrow(/does not list/);
  });
});

describe("reading metadata", () => {
  it("finds none in other models, and refuses what is no model", async () => {
    expect(await onnxClassNames(new Uint8Array(), "m.onnx")).toBeUndefined();
    // metadata_props of another program, whose class_names are no JSON.
    const entry = new TextEncoder().encode("\n\x0bclass_names\x12\x04cat,");
    expect(await onnxClassNames(Uint8Array.of(0x72, entry.length, ...entry), "m.onnx")).toBeUndefined();
    const broken = onnxClassNames(Uint8Array.of(0x72, 200, 1), "m.onnx");
    await expect(broken).rejects.toThrow(InputError);
    await expect(broken).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: m.onnx: is no ONNX model, or cut short; get the file again]`,
    );
  });
});
