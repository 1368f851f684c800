import { InputError } from "../../errors.js";
import type { ImageShape } from "../../nn/index.js";
import { sizeOptions } from "./image-shape.js";
import type { OnnxSettings } from "./settings.js";
import type { QueryBatch } from "./teacher.js";

/** What a model says of an input. */
export interface InputMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  /** Sizes, or names of those that are free. */
  readonly shape?: readonly (number | string)[];
}

type Layout = "NCHW" | "NHWC";
type Range = "u8" | "0-255" | "0-1";

/** How images become a model's input. */
export class OnnxInput {
  /** Images that the model takes at a time; any number where undefined. */
  readonly batch: number | undefined;
  /** Images that it takes, where it states all their sizes. */
  readonly image: ImageShape | undefined;

  constructor(
    /** The model, for errors. */
    readonly where: string,
    readonly name: string,
    /** Sizes of the input, as far as the model states them. */
    private readonly sizes: readonly (number | undefined)[],
    readonly layout: Layout,
    readonly range: Range,
    private readonly settings: OnnxSettings,
  ) {
    const [batch, ...image] = sizes;
    this.batch = batch;
    if (image.length === 3 && image.every((size) => size !== undefined)) {
      const [channels, height, width] = layout === "NCHW" ? image : [image[2], image[0], image[1]];
      this.image = { channels, height, width };
    }
  }

  /** Shape of the input for so many images: flat, or without channels, where the model wants them so. */
  shape(image: ImageShape, rows: number): number[] {
    const { channels, height, width } = image;
    if (this.sizes.length === 2) return [rows, channels * height * width];
    if (this.sizes.length === 3) return [rows, height, width];
    return this.layout === "NCHW" ? [rows, channels, height, width] : [rows, height, width, channels];
  }

  /** @throws InputError where the model does not take such images. */
  check(image: ImageShape): void {
    const { where, name, sizes, layout } = this;
    const { channels, height, width } = image;
    const these = `these are ${channels} × ${height} × ${width}`;
    const shape = this.shape(image, sizes[0] ?? 1);
    if (
      shape.some((size, axis) => sizes[axis] !== undefined && sizes[axis] !== size) ||
      (sizes.length === 3 && channels > 1)
    ) {
      const wanted = sizes.map((size) => size ?? "any").join(" × ");
      const options = this.image ? ` (image files: ${sizeOptions(this.image)})` : "";
      throw new InputError(
        `the teacher ${where} takes ${wanted} at its input ${name}, read as ${layout}; ${these} ` +
          `(channels, height, width): give images of the teacher's size${options}, or set onnx.layout`,
      );
    }
    for (const what of ["mean", "deviation"] as const) {
      const numbers = this.settings[what];
      if (numbers && numbers.length !== channels) {
        throw new InputError(
          `the teacher ${where}: onnx.${what} has ${numbers.length} numbers for ${channels} channels; ${these}`,
        );
      }
    }
  }

  /** The number that stands for a pixel of this channel, for each of the 256. */
  table(channel: number): Float32Array {
    const { mean, deviation } = this.settings;
    const scale = this.range === "0-1" ? 255 : 1;
    return Float32Array.from(
      { length: 256 },
      (_, pixel) => (pixel / scale - (mean?.[channel] ?? 0)) / (deviation?.[channel] ?? 1),
    );
  }
}

/**
 * How the images become this input.
 * @throws InputError where it is none for images, or the settings do not fit it
 */
export function describeInput(where: string, input: InputMetadata, settings: OnnxSettings): OnnxInput {
  const { name, type, shape } = input;
  if (!input.isTensor || !shape || (type !== "float32" && type !== "uint8")) {
    const found = input.isTensor ? type : "no tensor";
    throw new InputError(`${where}: its input ${name} is ${found}; expected float32 or uint8`);
  }
  if (shape.length < 2 || shape.length > 4) {
    throw new InputError(`${where}: its input ${name} has ${shape.length} axes; expected 4, images of 8 bits`);
  }
  const { layout = "NCHW", range = type === "uint8" ? "u8" : "0-1", mean, deviation } = settings;
  if ((range === "u8") !== (type === "uint8")) {
    throw new InputError(`${where}: its input ${name} is ${type}, and onnx.range is ${range}; make the two agree`);
  }
  if (range === "u8" && (mean ?? deviation)) {
    throw new InputError(`${where}: its input ${name} is uint8, which onnx.mean and onnx.deviation cannot change`);
  }
  if (deviation?.some((value) => !(value > 0))) {
    throw new InputError(`${where}: onnx.deviation is ${deviation.join(", ")}; expected numbers above 0`);
  }
  // Free sizes have names; some exporters write -1 or 0.
  const sizes = shape.map((size) => (typeof size === "number" && size > 0 ? size : undefined));
  return new OnnxInput(where, name, sizes, layout, range, settings);
}

/**
 * Images `first` to `first + count` of the batch as the model wants them; the rest of `rows` is zero.
 */
export function fillInput(
  input: OnnxInput,
  batch: QueryBatch,
  first: number,
  count: number,
  rows: number,
): Uint8Array | Float32Array {
  const { channels, height, width, pixels } = batch;
  const area = height * width;
  const size = channels * area;
  const data = input.range === "u8" ? new Uint8Array(rows * size) : new Float32Array(rows * size);
  const byChannel = input.layout === "NCHW";
  for (let channel = 0; channel < channels; channel++) {
    const table = input.table(channel);
    for (let image = 0; image < count; image++) {
      const from = (first + image) * size + channel * area;
      const to = image * size + (byChannel ? channel * area : channel);
      const step = byChannel ? 1 : channels;
      for (let at = 0; at < area; at++) data[to + at * step] = table[pixels[from + at]];
    }
  }
  return data;
}
