import { Command, Option } from "commander";
import { exportOnnx, type NetworkSpec, type OnnxInputKind } from "../../src/nn/index.js";
import { CpuDevice } from "../../src/tensor/index.js";
import type { OutputOptions } from "../common-options.js";
import { checkWritable, writeWhole } from "../files.js";
import { openNetwork } from "../networks.js";
import { checkNotInput } from "../own-input.js";
import { size } from "../table.js";
import { version } from "../version.js";

interface ExportOptions extends OutputOptions {
  readonly model: string;
  readonly format: "onnx";
  readonly input: OnnxInputKind;
  readonly out: string;
}

/** `activemixup export`: a network as a file that other programs run. */
export function exportCommand(): Command {
  return new Command("export")
    .description("write a network as an ONNX model, which ONNX Runtime and others run")
    .requiredOption("--model <file>", "the network (safetensors)")
    .requiredOption("--out <file>", "where the model goes")
    .addOption(new Option("--format <format>", "of the model").choices(["onnx"]).default("onnx"))
    .addOption(
      new Option("--input <kind>", "pixels that the model takes: uint8 from 0 to 255, or float from 0 to 1")
        .choices(["uint8", "float"])
        .default("uint8"),
    )
    .action(async (options: ExportOptions) => {
      const { model, out, format, input, json } = options;
      await checkNotInput(out, [model]);
      // Nothing is computed: the host's memory is device enough.
      const device = new CpuDevice();
      try {
        const { spec, bytes } = await withNetwork(device, options);
        await checkWritable("--out", out);
        await writeWhole(out, bytes);
        const result = { version, model, out, format, input, bytes: bytes.length, network: spec };
        process.stdout.write(json ? `${JSON.stringify(result)}\n` : `${describe(options, spec, bytes.length)}\n`);
      } finally {
        device.destroy();
      }
    });
}

async function withNetwork(
  device: CpuDevice,
  { model, input }: ExportOptions,
): Promise<{ spec: NetworkSpec; bytes: Uint8Array }> {
  const network = await openNetwork(device, "--model", model);
  try {
    return { spec: network.spec, bytes: await exportOnnx(network, { input, version }) };
  } finally {
    network.dispose();
  }
}

function describe({ out, input }: ExportOptions, spec: NetworkSpec, bytes: number): string {
  const { channels, height, width } = spec.image;
  const range = input === "uint8" ? "uint8 from 0 to 255" : "float32 from 0 to 1";
  const names = spec.classNames ? "named in the file" : "without names";
  return [
    `${out}: ${spec.architecture} as ONNX, ${size(bytes)}`,
    `input images: ${range}, N × ${channels} × ${height} × ${width}; normalisation is in the model`,
    `outputs logits and probabilities: N × ${spec.classes}, classes ${names}`,
  ].join("\n");
}
