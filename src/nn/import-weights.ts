/** Weights that another program wrote: by PyTorch's names, without a word of what network they are. */
import { InputError } from "../errors.js";
import { formatShape } from "../tensor/index.js";
import { namedParameters, type Parameter } from "./module.js";
import { checkState, type NetworkSpec, type NetworkState } from "./network.js";
import { checkSpec } from "./network-file.js";
import { buildModule } from "./networks/index.js";
import { decodeSafetensors, type SafetensorsTensor } from "./safetensors.js";

/** What weights do not say of themselves. */
export interface WeightsAbout extends Omit<NetworkSpec, "classes"> {
  /** Numbers of the network's channels, or one for all of them. */
  readonly mean: readonly number[];
  /** Likewise. */
  readonly deviation: readonly number[];
}

/** Weights as a network takes them, and what was done to get there. */
export interface ImportedWeights {
  /** The classes are as many as the weights have. */
  readonly spec: NetworkSpec;
  readonly state: NetworkState;
  /** What stood before all names and was left out: `module.`, for example, or nothing. */
  readonly prefix: string;
  /** Number of tensors that became f32, by the type that they had. */
  readonly converted: ReadonlyMap<string, number>;
}

/** How files begin that `torch.save` writes, now and formerly. */
const PICKLES = [
  [0x50, 0x4b, 0x03, 0x04],
  [0x80, 0x02],
];

/**
 * Makes a network of a safetensors file of weights. Names are those of PyTorch's `state_dict` for the same layers, after
 * a prefix that all share; shapes and the order of numbers are PyTorch's, which are this engine's.
 * @param name of the file, for errors
 * @throws InputError where it is no such file; its names or shapes are not the network's, or its numbers not finite; or
 * `about` is of an unknown network, of images that are too small for it, of other than one name a class, or of numbers
 * out of their range
 */
export function importWeights(bytes: Uint8Array, name: string, about: WeightsAbout): ImportedWeights {
  if (PICKLES.some((start) => start.every((byte, at) => bytes[at] === byte))) {
    throw new InputError(
      `${name}: a pickle of torch.save, which may run code and is not read; ` +
        `in Python: safetensors.torch.save_file(model.state_dict(), "weights.safetensors")`,
    );
  }
  const { tensors, prefix } = withoutPrefix(decodeSafetensors(bytes, name).tensors, about);
  const spec = specOf(tensors, name, about);
  const parameters = namedParameters(buildModule(spec.architecture, spec.image, spec.classes));
  checkNames(parameters, tensors, name, spec);
  checkState(parameters, tensors, `${name}, as ${spec.architecture}`);
  const converted = new Map<string, number>();
  for (const { dtype } of tensors.values()) {
    if (dtype !== "F32") converted.set(dtype, (converted.get(dtype) ?? 0) + 1);
  }
  // In the network's order, as files of the engine's own are.
  const saved = [...parameters].filter(([, { role }]) => role !== "constant");
  const state = new Map(saved.map(([parameter]) => [parameter, tensors.get(parameter)!]));
  return { spec, state, prefix, converted };
}

type Tensors = ReadonlyMap<string, SafetensorsTensor>;

/** The tensors by the names that are left when the words that all names begin with, and no network's do, are gone. */
function withoutPrefix(tensors: Tensors, about: WeightsAbout): { tensors: Tensors; prefix: string } {
  const own = new Set([...layersOf(about)].map((layer) => layer.split(".")[0]));
  let prefix = "";
  for (;;) {
    const words = new Set([...tensors.keys()].map((name) => name.slice(prefix.length).split(".")[0]));
    const [word] = words;
    const shared = words.size === 1 && [...tensors.keys()].every((name) => name.startsWith(`${prefix}${word}.`));
    if (!shared || own.has(word)) break;
    prefix += `${word}.`;
  }
  return { tensors: new Map([...tensors].map(([name, tensor]) => [name.slice(prefix.length), tensor])), prefix };
}

/** Names of the network's parameters, which are the same for any number of classes. */
function layersOf({ architecture, image }: WeightsAbout): string[] {
  return [...namedParameters(buildModule(architecture, image, 1)).keys()];
}

function specOf(tensors: Tensors, name: string, about: WeightsAbout): NetworkSpec {
  const { architecture, image, classNames } = about;
  const { channels } = image;
  const last = layersOf(about).at(-1)!; // the bias of the last layer: one number a class
  const bias = tensors.get(last);
  if (bias?.shape.length !== 1) {
    const found = bias ? `has "${last}" of shape ${formatShape(bias.shape)}` : `lacks "${last}"`;
    throw new InputError(`${name}, as ${architecture}: ${found}; expected one number a class; ${CURE}`);
  }
  const [classes] = bias.shape;
  if (classNames && classNames.length !== classes) {
    throw new InputError(`${name} has ${classes} classes and ${classNames.length} are named; name each of them`);
  }
  const each = (values: readonly number[]) =>
    values.length === 1 ? new Array<number>(channels).fill(values[0]) : [...values];
  const spec = { ...about, classes, mean: each(about.mean), deviation: each(about.deviation) };
  return checkSpec(
    spec,
    (found) =>
      new InputError(
        `${name}: ${found}; expected one number a channel or one for all, deviations above 0, and sizes up to 4096`,
      ),
  );
}

const CURE = "rename the tensors in Python before they are saved, or name another --architecture";

/** Tells of all names that differ at once, where {@link checkState} would of one. */
function checkNames(
  parameters: ReadonlyMap<string, Parameter>,
  tensors: Tensors,
  name: string,
  { architecture }: NetworkSpec,
): void {
  const lacks = [...parameters].filter(([own, { role }]) => role !== "constant" && !tensors.has(own));
  const more = [...tensors.keys()].filter((other) => !parameters.has(other));
  if (lacks.length === 0 && more.length === 0) return;
  const found = [
    ...(lacks.length > 0 ? [`lacks ${some(lacks.map(([own]) => own))}`] : []),
    ...(more.length > 0 ? [`holds ${some(more)}, which the network has not`] : []),
  ];
  throw new InputError(`${name}, as ${architecture}: ${found.join(" and ")}; ${CURE}`);
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name));
  return names.length > 3 ? `${shown.join(", ")} and ${names.length - 3} more` : shown.join(", ");
}
