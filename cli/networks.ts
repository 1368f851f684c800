import { decodeNetwork, type Network } from "../src/nn/index.js";
import type { Device } from "../src/tensor/index.js";
import { readWhole } from "./files.js";

/** Opens the network file that an option names. */
export async function openNetwork(device: Device, option: string, path: string): Promise<Network> {
  return decodeNetwork(await readWhole(option, path), path, device);
}
