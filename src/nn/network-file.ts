import { InputError } from "../errors.js";
import type { Device } from "../tensor/index.js";
import { namedParameters } from "./module.js";
import { checkState, Network, type NetworkSpec, type NetworkState } from "./network.js";
import { buildModule, knowsNetwork } from "./networks/index.js";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.js";

/** Key of the safetensors metadata under which the {@link NetworkSpec} stands, as JSON. */
const SPEC_KEY = "activemixup";

/** The network's weights as a safetensors file, with its architecture in the metadata. */
export async function encodeNetwork(network: Network): Promise<Uint8Array> {
  return encodeState(network.spec, await network.state());
}

/** Weights of a network as {@link encodeNetwork} writes them. */
export function encodeState(spec: NetworkSpec, state: NetworkState): Uint8Array {
  return encodeSafetensors(state, {
    format: "pt",
    architecture: spec.architecture,
    [SPEC_KEY]: JSON.stringify(spec),
  });
}

/**
 * Opens a network that {@link encodeNetwork} wrote.
 * @param name of the file, for errors
 * @param classNames for a network without, where they are one a class
 * @throws InputError where the file is no safetensors file, says no architecture, or its weights do not fit it.
 */
export function decodeNetwork(
  bytes: Uint8Array,
  name: string,
  device: Device,
  classNames?: readonly string[],
): Network {
  const { tensors, metadata } = decodeSafetensors(bytes, name);
  const spec = withNames(parseSpec(metadata[SPEC_KEY], name), classNames);
  // Before any memory is taken for the network: metadata may promise one of any size.
  const module = buildModule(spec.architecture, spec.image, spec.classes);
  checkState(namedParameters(module), tensors, `${name}, as ${spec.architecture}`);
  const network = new Network(device, spec, 0);
  network.load(tensors, name);
  return network;
}

function withNames(spec: NetworkSpec, classNames?: readonly string[]): NetworkSpec {
  return spec.classNames || classNames?.length !== spec.classes ? spec : { ...spec, classNames };
}

function parseSpec(json: string | undefined, name: string): NetworkSpec {
  const wrong = (found: string) =>
    new InputError(`${name}: ${found}; expected a network that \`activemixup train\` or \`distill\` wrote`);
  if (json === undefined) {
    throw new InputError(
      `${name}: its metadata has no "${SPEC_KEY}"; expected a network that \`activemixup train\` or \`distill\` wrote: ` +
        `\`activemixup import\` makes one of weights from elsewhere`,
    );
  }
  let spec: Partial<NetworkSpec> | null;
  try {
    spec = JSON.parse(json) as Partial<NetworkSpec> | null;
  } catch {
    throw wrong(`its metadata "${SPEC_KEY}" is not JSON`);
  }
  return checkSpec(spec ?? {}, wrong);
}

/**
 * Requires all that a network's file says of it to be possible.
 * @param wrong makes the error of what was found
 */
export function checkSpec(spec: Partial<NetworkSpec>, wrong: (found: string) => InputError): NetworkSpec {
  const { architecture, image, classes, mean, deviation, classNames } = spec;
  const isSize = (value: unknown, most: number) =>
    Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most;
  if (!architecture || !knowsNetwork(architecture)) throw wrong(`its architecture is "${architecture}"`);
  if (!image || !isSize(image.channels, 16) || !isSize(image.height, 4096) || !isSize(image.width, 4096)) {
    throw wrong(`its image shape is ${JSON.stringify(image)}`);
  }
  if (!isSize(classes, 65536)) throw wrong(`its number of classes is ${JSON.stringify(classes)}`);
  const isScale = (values: readonly number[] | undefined) =>
    Array.isArray(values) && values.length === image.channels && values.every((value) => Number.isFinite(value));
  if (!isScale(mean) || !isScale(deviation) || deviation!.some((value) => value <= 0)) {
    throw wrong(`its normalisation is mean ${JSON.stringify(mean)}, deviation ${JSON.stringify(deviation)}`);
  }
  if (classNames !== undefined && !isNames(classNames, classes!)) {
    throw wrong(`it has ${JSON.stringify(classNames)} as names of ${classes} classes`);
  }
  return { architecture, image, classes: classes!, mean: mean!, deviation: deviation!, classNames };
}

function isNames(names: unknown, count: number): boolean {
  return Array.isArray(names) && names.length === count && names.every((name) => typeof name === "string");
}
