/** A network as an ONNX model. */
import { readTensor } from "../../tensor/index.js";
import type { Network } from "../network.js";
import { encodeOnnxModel, type OnnxModel, type OnnxValue } from "./encode.js";
import { OnnxGraphBuilder, type OnnxConstant } from "./graph.js";

/** What a model takes: `uint8` pixels from 0 to 255, or `float` from 0 to 1. */
export type OnnxInputKind = "uint8" | "float";

/** How a network is written as ONNX. */
export interface OnnxExportOptions {
  /** What the model takes; `uint8` where absent. */
  readonly input?: OnnxInputKind;
  /** Of activemixup, for the file to name. */
  readonly version?: string;
}

/** Names of the model's input and outputs. */
export const ONNX_NAMES = { input: "images", logits: "logits", probabilities: "probabilities" } as const;

/** Name of the free size. */
const BATCH = "batch";
/** TensorProto.DataType.FLOAT, as the operator Cast takes it. */
const FLOAT = 1;
const SCALE = "normalisation.scale";
const SHIFT = "normalisation.shift";

/**
 * A network as an ONNX file: images of any number to `logits` and `probabilities`, [batch, classes] each. Normalisation
 * is part of the model. Its metadata holds `architecture`, `input` in words, `class_names` (a JSON list, where the
 * network has names), and all of {@link NetworkSpec} as JSON under `activemixup`.
 * @throws InputError where a layer of the network does not say which operators it is, or the file would be too large
 */
export async function encodeOnnx(network: Network, options: OnnxExportOptions = {}): Promise<Uint8Array> {
  const { input = "uint8", version = "" } = options;
  const { spec, parameters } = network;
  const { architecture, classes, classNames } = spec;
  const graph = new OnnxGraphBuilder(parameters);
  network.writeOnnx(graph, addNormalisation(graph, input));
  graph.renameLast(ONNX_NAMES.logits);
  graph.add("Softmax", [ONNX_NAMES.logits], { axis: 1 });
  graph.renameLast(ONNX_NAMES.probabilities);

  const images = describeImages(network, input);
  const constants = normalisationConstants(network, input);
  for (const [name, { shape, value }] of graph.parameters) {
    constants.set(name, { shape, data: await readTensor(value) });
  }
  const output = (name: string, about: string): OnnxValue => ({
    name,
    type: "float32",
    shape: [BATCH, classes],
    about: `of each image, ${about}`,
  });
  const model: OnnxModel = {
    name: architecture,
    about: `${architecture}, a classifier of images into ${classes} classes. Input: ${images.about}`,
    producer: { name: "activemixup", version },
    metadata: new Map([
      ["architecture", architecture],
      ["input", images.about],
      ...(classNames ? [["class_names", JSON.stringify(classNames)] as const] : []),
      ["activemixup", JSON.stringify(spec)],
    ]),
    inputs: [images],
    outputs: [
      output(ONNX_NAMES.logits, "a number a class; the largest is the likeliest class's"),
      output(ONNX_NAMES.probabilities, "the softmax of the logits"),
    ],
    constants,
    nodes: graph.nodes,
  };
  return encodeOnnxModel(model);
}

/** The names of the classes that a model's metadata carries, as {@link encodeOnnx} writes them; undefined without. */
export function classNamesOf(metadata: ReadonlyMap<string, string>): string[] | undefined {
  const text = metadata.get("class_names");
  if (text === undefined) return undefined;
  let names: unknown;
  try {
    names = JSON.parse(text);
  } catch {
    return undefined; // another program's key of the same name
  }
  return Array.isArray(names) && names.every((name) => typeof name === "string") ? names : undefined;
}

/** (pixel / 255 − mean) / deviation, as a product and a sum. */
function addNormalisation(graph: OnnxGraphBuilder, input: OnnxInputKind): string {
  const pixels = input === "uint8" ? graph.add("Cast", [ONNX_NAMES.input], { to: FLOAT }) : ONNX_NAMES.input;
  return graph.add("Add", [graph.add("Mul", [pixels, SCALE]), SHIFT]);
}

function normalisationConstants({ spec }: Network, input: OnnxInputKind): Map<string, OnnxConstant> {
  const { mean, deviation, image } = spec;
  const shape = [1, image.channels, 1, 1];
  const range = input === "uint8" ? 255 : 1;
  return new Map([
    [SCALE, { shape, data: Float32Array.from(deviation, (value) => 1 / (range * value)) }],
    [SHIFT, { shape, data: Float32Array.from(deviation, (value, channel) => -mean[channel] / value) }],
  ]);
}

function describeImages({ spec }: Network, input: OnnxInputKind): OnnxValue {
  const { channels, height, width } = spec.image;
  const colours = channels === 3 ? ", red, green, blue" : channels === 1 ? ", grey" : "";
  const range = input === "uint8" ? "uint8, 0 to 255" : "float32, 0 to 1";
  return {
    name: ONNX_NAMES.input,
    type: input === "uint8" ? "uint8" : "float32",
    shape: [BATCH, channels, height, width],
    about: `${range}, N × ${channels} × ${height} × ${width} (channels${colours}; height; width), not normalised`,
  };
}
