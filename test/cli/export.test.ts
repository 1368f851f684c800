import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { beforeAll, describe, expect, it } from "vitest";
import { openImageSet } from "../../src/data/index.js";
import { decodeNetwork, decodeSafetensors, encodeSafetensors, Predictor } from "../../src/nn/index.js";
import { CpuDevice } from "../../src/tensor/index.js";
import { expectClose } from "../close.js";
import { concat, pngOf, temporaryFolder } from "../data/fixtures.js";
import { cli, writeDigits } from "./cli.js";

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.root, ...names);
const digits = folder.root;
const names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", 'nine, or "9"'];
const student = at("run", "student.safetensors");
const cpu = ["--device", "cpu", "--quiet"];

const mistake = async (...args: string[]) => {
  const { code, stdout, stderr } = await cli(...args);
  expect([code, stdout]).toEqual([2, ""]);
  return stderr.replaceAll(folder.root, "FOLDER");
};

// A teacher, and a student that has the names of the classes from --labels.
beforeAll(async () => {
  writeDigits(digits, 60, 12);
  folder.write("labels.txt", `${names.join("\n")}\n`);
  const teacher = at("teacher.safetensors");
  const trained = await cli(
    ...["train", "--data", `${digits}:train`, "--model", "lenet5", "--epochs", "2", "--out", teacher, ...cpu],
  );
  expect(trained.code, trained.stderr).toBe(0);
  const distilled = await cli(
    ...["distill", "--images", `${digits}:train`, "--teacher", teacher, "--labels", at("labels.txt")],
    ...["--student", "lenet5-half", "--n", "20", "--budget", "30", "--rounds", "1", "--epochs", "1", "--holdout", "0"],
    ...["--out", at("run"), ...cpu],
  );
  expect(distilled.code, distilled.stderr).toBe(0);
});

describe("export", () => {
  it("writes a trained student with its names, which ONNX Runtime runs alike", async () => {
    const out = at("new", "student.onnx");
    const { code, stdout } = await cli("export", "--model", student, "--out", out, "--input", "float", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      format: "onnx",
      input: "float",
      bytes: readFileSync(out).length,
      network: { architecture: "lenet5-half", classNames: names },
    });
    const { pixels } = await openImageSet(`${digits}:test`);
    const device = new CpuDevice();
    const network = decodeNetwork(readFileSync(student), student, device);
    const expected = await (await Predictor.create(network, 12)).predict(pixels);
    device.destroy();
    const session = await InferenceSession.create(out, { graphOptimizationLevel: "all", logSeverityLevel: 3 });
    const images = new Tensor(
      "float32",
      Float32Array.from(pixels, (pixel) => pixel / 255),
      [12, 1, 12, 12],
    );
    const { probabilities } = await session.run({ images });
    expectClose(probabilities.data as Float32Array, expected.probabilities, { rtol: 0, atol: 1e-5 });
    await session.release();
  });

  it("is a teacher, by its logits, with its names", async () => {
    const exported = await cli("export", "--model", student, "--out", at("student.onnx"));
    expect(exported.stdout.replaceAll(folder.root, "FOLDER")).toMatchInlineSnapshot(`
      "FOLDER/student.onnx: lenet5-half as ONNX, 65.1 kB
      input images: uint8 from 0 to 255, N × 1 × 12 × 12; normalisation is in the model
      outputs logits and probabilities: N × 10, classes named in the file
      "
    `);
    const { code, stdout, stderr } = await cli(
      ...["distill", "--images", `${digits}:train`, "--teacher", `onnx:${at("student.onnx")}`, "--student", "lenet5"],
      ...["--n", "20", "--budget", "30", "--rounds", "1", "--epochs", "1", "--holdout", "0", "--out", at("second")],
      ...["--json", ...cpu],
    );
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ queries: 30 });
    // It answered as the network does that it was made of.
    const first = JSON.parse(readFileSync(at("second", "queries.jsonl"), "utf8").split("\n")[0]) as {
      first: number;
      label: number[];
    };
    const { chosen } = JSON.parse(readFileSync(at("second", "config.json"), "utf8")) as { chosen: number[] };
    const { pixels } = await openImageSet(`${digits}:train`);
    const device = new CpuDevice();
    const network = decodeNetwork(readFileSync(student), student, device);
    const index = chosen[first.first];
    const { probabilities } = await (
      await Predictor.create(network, 1)
    ).predict(pixels.slice(index * 144, (index + 1) * 144));
    device.destroy();
    expectClose(first.label, probabilities, { rtol: 0, atol: 1e-5 });
    const { metadata } = decodeSafetensors(readFileSync(at("second", "student.safetensors")), "second");
    expect(JSON.parse(metadata.activemixup)).toMatchObject({ classNames: names });
  });

  it("is run by the program in docs/export.md, with what predict says", async () => {
    const page = readFileSync(new URL("../../docs/export.md", import.meta.url), "utf8");
    const [, program] = /```js\n(\/\/ classify\.mjs\n.*?)```/s.exec(page)!;
    symlinkSync(fileURLToPath(new URL("../../node_modules", import.meta.url)), at("node_modules"));
    const { pixels } = await openImageSet(`${digits}:test`);
    const files = [3, 7].map((index) =>
      folder.write(`photo ${index}.png`, pngOf(12, 12, 0, pixels.slice(index * 144, (index + 1) * 144))),
    );
    const labels = folder.write("numbers.txt", names.map((_, label) => `class ${label}`).join("\n"));
    const predicted = await cli("predict", "--model", student, "--labels", labels, "--top", "1", ...files, ...cpu);
    await cli("export", "--model", student, "--out", at("copied.onnx"));
    const words = [folder.write("classify.mjs", program), at("copied.onnx"), ...files];
    const told = execFileSync(process.execPath, words, { encoding: "utf8" });
    expect(told.replaceAll(": class", "  class").replaceAll(", ", " ")).toBe(predicted.stdout);
  });

  it("says what it cannot do, and writes nothing", async () => {
    expect(await mistake("export", "--model", at("none.safetensors"), "--out", at("x", "none.onnx")))
      .toMatchInlineSnapshot(`
      "error: --model FOLDER/none.safetensors cannot be read (ENOENT); give the path of a file that exists
      "
    `);
    expect(await mistake("export", "--model", student, "--out", at("run"))).toMatchInlineSnapshot(`
      "error: --out FOLDER/run is a folder; give the name of a file
      "
    `);
    expect(await mistake("export", "--model", student, "--out", at("x.onnx"), "--format", "tflite"))
      .toMatchInlineSnapshot(`
      "error: option '--format <format>' argument 'tflite' is invalid. Allowed choices are onnx.
      "
    `);
    const kept = readFileSync(student);
    symlinkSync(student, at("link.safetensors"));
    expect(await mistake("export", "--model", student, "--out", student)).toMatchInlineSnapshot(`
      "error: --out FOLDER/run/student.safetensors is an input of this command, and would be overwritten; name another file
      "
    `);
    expect(await mistake("export", "--model", student, "--out", at("link.safetensors"))).toMatchInlineSnapshot(`
      "error: --out FOLDER/link.safetensors is FOLDER/run/student.safetensors, an input of this command, and would be overwritten; name another file
      "
    `);
    expect(readFileSync(student).equals(kept)).toBe(true);
    expect(existsSync(at("x"))).toBe(false);
    expect(existsSync(at("x.onnx"))).toBe(false);
  });
});

describe("import", () => {
  /** The student's tensors as PyTorch's data-parallel wrapper would save them, in whole or with changes. */
  const weights = (
    name: string,
    change: (tensors: Map<string, { shape: readonly number[]; data: Float32Array }>) => void,
  ) => {
    const { tensors } = decodeSafetensors(readFileSync(student), "student");
    const renamed = new Map([...tensors].map(([tensor, { shape, data }]) => [`module.${tensor}`, { shape, data }]));
    change(renamed);
    return folder.write(name, encodeSafetensors(renamed, {}));
  };
  const about = ["--architecture", "lenet5-half", "--image", "1x12x12", "--mean", "0.1", "--deviation", "0.5"];
  const importing = (file: string, ...more: string[]) => [
    "import",
    "--in",
    file,
    ...about,
    "--out",
    at("imported.safetensors"),
    ...more,
  ];

  it("makes a network that other commands take", async () => {
    const { code, stdout, stderr } = await cli(...importing(weights("plain.safetensors", () => undefined)));
    expect(code, stderr).toBe(0);
    expect(stdout.replaceAll(folder.root, "FOLDER")).toMatchInlineSnapshot(`
      "FOLDER/imported.safetensors: lenet5-half, 10 classes, 10 tensors of 15660 numbers
      names without their common beginning "module."
      "
    `);
    const evaluated = await cli(
      ...[
        "evaluate",
        "--model",
        at("imported.safetensors"),
        "--data",
        `${digits}:test`,
        "--teacher",
        student,
        "--json",
      ],
      ...cpu,
    );
    expect(evaluated.code, evaluated.stderr).toBe(0);
    // As a student to start from it gets the teacher's names.
    const distilled = await cli(
      ...["distill", "--images", `${digits}:train`, "--teacher", student, "--student", at("imported.safetensors")],
      ...[
        "--n",
        "10",
        "--budget",
        "10",
        "--rounds",
        "0",
        "--epochs",
        "1",
        "--holdout",
        "0",
        "--out",
        at("third"),
        ...cpu,
      ],
    );
    expect(distilled.code, distilled.stderr).toBe(0);
    const { metadata } = decodeSafetensors(readFileSync(at("third", "student.safetensors")), "third");
    expect(JSON.parse(metadata.activemixup)).toMatchObject({ classNames: names, mean: [0.1], deviation: [0.5] });
  });

  it("makes f32 of 16 bits, and says so", async () => {
    const { tensors } = decodeSafetensors(readFileSync(student), "student");
    const entries: string[] = [];
    const data: Uint8Array[] = [];
    let at16 = 0;
    for (const [name, { shape, data: values }] of tensors) {
      // The upper half of an f32 is a bfloat16.
      const halves = Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16);
      entries.push(
        `"${name}":{"dtype":"BF16","shape":[${shape}],"data_offsets":[${at16},${at16 + halves.byteLength}]}`,
      );
      data.push(new Uint8Array(halves.buffer));
      at16 += halves.byteLength;
    }
    const header = new TextEncoder().encode(`{${entries.join(",")}}`);
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
    const file = folder.write("bf16.safetensors", concat(length, header, ...data));
    const { code, stdout, stderr } = await cli(...importing(file, "--json"));
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ prefix: "", converted: { BF16: tensors.size } });
    const imported = decodeSafetensors(readFileSync(at("imported.safetensors")), "imported").tensors;
    const cut = Float32Array.from(tensors.get("fc1.bias")!.data);
    new Uint32Array(cut.buffer).forEach((bits, index, all) => (all[index] = bits & 0xffff0000));
    expect(imported.get("fc1.bias")!.data).toEqual(cut);
  });

  it("says exactly what does not fit", async () => {
    const turned = weights("turned.safetensors", (tensors) => {
      const { data } = tensors.get("module.fc1.weight")!;
      tensors.set("module.fc1.weight", { shape: [32, 120], data });
    });
    expect(await mistake(...importing(turned))).toMatchInlineSnapshot(`
      "error: FOLDER/turned.safetensors, as lenet5-half: "fc1.weight" is [32, 120]; the network expects [120, 32]
      "
    `);
    const headless = weights("headless.safetensors", (tensors) => tensors.delete("module.fc3.bias"));
    expect(await mistake(...importing(headless))).toMatchInlineSnapshot(`
      "error: FOLDER/headless.safetensors, as lenet5-half: lacks "fc3.bias"; expected one number a class; rename the tensors in Python before they are saved, or name another --architecture
      "
    `);
    const renamed = weights("renamed.safetensors", (tensors) => {
      tensors.set("module.out.bias", tensors.get("module.fc2.bias")!);
      for (const name of ["conv1.weight", "fc2.bias", "fc2.weight", "fc1.weight"]) tensors.delete(`module.${name}`);
    });
    expect(await mistake(...importing(renamed))).toMatchInlineSnapshot(`
      "error: FOLDER/renamed.safetensors, as lenet5-half: lacks "conv1.weight", "fc1.weight", "fc2.weight" and 1 more and holds "out.bias", which the network has not; rename the tensors in Python before they are saved, or name another --architecture
      "
    `);
    // What all names begin with is no prefix where it is a layer of the network.
    const lastLayer = weights("last-layer.safetensors", (tensors) => {
      for (const name of [...tensors.keys()]) if (!name.startsWith("module.fc3.")) tensors.delete(name);
    });
    expect(await mistake(...importing(lastLayer))).toMatchInlineSnapshot(`
      "error: FOLDER/last-layer.safetensors, as lenet5-half: lacks "conv1.weight", "conv1.bias", "conv2.weight" and 5 more; rename the tensors in Python before they are saved, or name another --architecture
      "
    `);
    const pickle = folder.write("weights.pt", Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0, 0));
    expect(await mistake(...importing(pickle))).toMatchInlineSnapshot(`
      "error: FOLDER/weights.pt: a pickle of torch.save, which may run code and is not read; in Python: safetensors.torch.save_file(model.state_dict(), "weights.safetensors")
      "
    `);
    const good = weights("good.safetensors", () => undefined);
    expect(await mistake(...importing(good, "--mean", "0.1,0.2"))).toMatchInlineSnapshot(`
      "error: FOLDER/good.safetensors: its normalisation is mean [0.1,0.2], deviation [0.5]; expected one number a channel or one for all, deviations above 0, and sizes up to 4096
      "
    `);
    expect(await mistake(...importing(good, "--deviation", "0"))).toMatchInlineSnapshot(`
      "error: FOLDER/good.safetensors: its normalisation is mean [0.1], deviation [0]; expected one number a channel or one for all, deviations above 0, and sizes up to 4096
      "
    `);
    expect(await mistake(...importing(good, "--labels", folder.write("two.txt", "a\nb\n")))).toMatchInlineSnapshot(`
      "error: FOLDER/good.safetensors has 10 classes and 2 are named; name each of them
      "
    `);
    expect(await mistake(...importing(good, "--architecture", "lenet"))).toMatchInlineSnapshot(`
      "error: no network is called "lenet"; choose one of lenet5, lenet5-half, lenet5-dropout, alexnet, alexnet-half, vgg16, resnet20, resnet32, resnet18
      "
    `);
    const kept = readFileSync(good);
    expect(await mistake(...importing(good, "--out", good))).toContain(`--out FOLDER/good.safetensors is an input`);
    expect(await mistake(...importing(good, "--labels", at("labels.txt"), "--out", at("labels.txt")))).toContain(
      `--out FOLDER/labels.txt is an input`,
    );
    expect(readFileSync(good).equals(kept)).toBe(true);
    // Without import, no command knows what such weights are.
    expect(await mistake("evaluate", "--model", good, "--data", `${digits}:test`, ...cpu)).toMatchInlineSnapshot(`
      "error: FOLDER/good.safetensors: its metadata has no "activemixup"; expected a network that \`activemixup train\` or \`distill\` wrote: \`activemixup import\` makes one of weights from elsewhere
      "
    `);
  });

  it("refuses a student whose classes have other names than the teacher's", async () => {
    folder.write("others.txt", `${[...names].reverse().join("\n")}\n`);
    const args = importing(
      weights("plain.safetensors", () => undefined),
      "--labels",
      at("others.txt"),
    );
    args[args.indexOf(at("imported.safetensors"))] = at("others.safetensors");
    expect((await cli(...args)).code).toBe(0);
    expect(
      await mistake(
        ...["distill", "--images", `${digits}:train`, "--teacher", student, "--student", at("others.safetensors")],
        ...["--n", "10", "--budget", "10", "--out", at("fourth"), ...cpu],
      ),
    ).toMatchInlineSnapshot(`
      "error: --student FOLDER/others.safetensors: class 0 is "nine, or "9"" to it and "zero" to the teacher; start from a student of the teacher's classes, in the same order
      "
    `);
    expect(existsSync(at("fourth"))).toBe(false);
  });
});
