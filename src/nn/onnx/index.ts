/** Networks as ONNX files. What writes and reads them, `protobufjs` among it, is loaded when it is used. */
import type { Network } from "../network.js";
import type { OnnxExportOptions } from "./export.js";

export type { OnnxExportOptions, OnnxInputKind } from "./export.js";

/**
 * A network as an ONNX file: `images` [batch, C, H, W], not normalised, to `logits` and `probabilities`, [batch,
 * classes] each, for any batch. Its metadata holds the network's spec and the names of its classes.
 * @throws InputError where a layer of the network does not say which operators it is, or the file would be too large
 */
export async function exportOnnx(network: Network, options?: OnnxExportOptions): Promise<Uint8Array> {
  const { encodeOnnx } = await import("./export.js");
  return encodeOnnx(network, options);
}

/**
 * The names of the classes that an ONNX file of {@link exportOnnx} carries; undefined where it carries none.
 * @param name of the file, for errors
 * @throws InputError where it is no ONNX file
 */
export async function onnxClassNames(bytes: Uint8Array, name: string): Promise<string[] | undefined> {
  const [{ decodeOnnxMetadata }, { classNamesOf }] = await Promise.all([import("./encode.js"), import("./export.js")]);
  return classNamesOf(await decodeOnnxMetadata(bytes, name));
}
