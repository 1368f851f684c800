import { decodeNetwork, type Network } from "../src/nn/index.js";
import type { Device } from "../src/tensor/index.js";
import { readWhole } from "./files.js";

/**
 * Opens the network file that an option names.
 * @param classNames for a network without
 */
export async function openNetwork(
  device: Device,
  option: string,
  path: string,
  classNames?: readonly string[],
): Promise<Network> {
  return decodeNetwork(await readWhole(option, path), path, device, classNames);
}
