import type { FloatParam } from "../launch.js";

/** The bytes of a uniform `Params` struct whose members are all `u32` or `f32`: 4 bytes each, padded to 16. */
export function encodeParams(params: readonly (number | FloatParam)[]): ArrayBuffer {
  const bytes = new ArrayBuffer(Math.max(16, Math.ceil(params.length / 4) * 16));
  const view = new DataView(bytes);
  for (const [index, param] of params.entries()) {
    if (typeof param === "number") view.setUint32(4 * index, param, true);
    else view.setFloat32(4 * index, param.f32, true);
  }
  return bytes;
}
