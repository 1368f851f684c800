import { Command } from "commander";
import { readLabels } from "../../src/activemixup/teacher/settings-file.node.js";
import {
  architectures,
  encodeState,
  importWeights,
  type ImageShape,
  type ImportedWeights,
} from "../../src/nn/index.js";
import type { OutputOptions } from "../common-options.js";
import { checkWritable, readWhole, writeWhole } from "../files.js";
import { checkNotInput } from "../own-input.js";
import { imageShape, numbers } from "../parse.js";
import { printable } from "../table.js";
import { version } from "../version.js";

interface ImportOptions extends OutputOptions {
  readonly in: string;
  readonly out: string;
  readonly architecture: string;
  readonly image: ImageShape;
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  readonly labels?: string;
}

/** `activemixup import`: weights that another program wrote as a network of this one. */
export function importCommand(): Command {
  return new Command("import")
    .description("make a network of weights from PyTorch (safetensors), to be a teacher or a student to start from")
    .requiredOption("--in <file>", "the weights, by PyTorch's names (safetensors)")
    .requiredOption("--out <file>", "where the network goes (safetensors)")
    .requiredOption("--architecture <name>", `network: ${architectures.join(", ")}`)
    .requiredOption(
      "--image <size>",
      "images that it takes: channels, height and width, for example 3x32x32",
      imageShape,
    )
    .requiredOption("--mean <list>", "it sees (pixel / 255 − mean) / deviation: one number a channel, or one", numbers)
    .requiredOption(
      "--deviation <list>",
      "likewise; --mean 0 --deviation 1 for a network that was given pixels from 0 to 1",
      numbers,
    )
    .option("--labels <file>", "names of the classes, one a line, in the order of their numbers")
    .action(async (options: ImportOptions) => {
      const { out, architecture, image, mean, deviation, labels, json } = options;
      await checkNotInput(out, labels === undefined ? [options.in] : [options.in, labels]);
      const classNames = labels === undefined ? undefined : await readLabels(labels);
      const bytes = await readWhole("--in", options.in);
      const about = { architecture, image, mean, deviation, ...(classNames ? { classNames } : {}) };
      const imported = importWeights(bytes, options.in, about);
      await checkWritable("--out", out);
      await writeWhole(out, encodeState(imported.spec, imported.state));
      const { spec, prefix, converted } = imported;
      const result = { version, in: options.in, out, network: spec, prefix, converted: Object.fromEntries(converted) };
      process.stdout.write(json ? `${JSON.stringify(result)}\n` : `${describe(out, imported)}\n`);
    });
}

function describe(out: string, { spec, state, prefix, converted }: ImportedWeights): string {
  const numbersIn = [...state.values()].reduce((sum, { data }) => sum + data.length, 0);
  const lines = [
    `${out}: ${spec.architecture}, ${spec.classes} classes, ${state.size} tensors of ${numbersIn} numbers`,
  ];
  if (prefix !== "") lines.push(`names without their common beginning "${printable(prefix)}"`);
  for (const [type, count] of converted) lines.push(`${count} tensors of ${type} became F32`);
  return lines.join("\n");
}
