import type { Capabilities } from "../../tensor/device.js";
import { chosenVariant, type Choice } from "../variant.js";
import { multiplyAdds, type Conv2dSizes } from "./contract.js";

/**
 * `direct`: one output an invocation. `tiled`: a matrix product through workgroup memory, for GPUs. `subgroup`: register
 * tiles and shuffles, for software drivers with subgroups of 8.
 */
export type Conv2dVariant = "direct" | "tiled" | "subgroup";

/** The three kernels of a convolution; each is chosen and measured by itself. */
export type Conv2dPass = "forward" | "inputGradient" | "weightGradient";

/** Size of the subgroups that `subgroup` needs, and most output channels in its tiles. */
export const LANES = 8;

/** Multiply-adds below which tiles are not worth it. */
const SMALL = 1 << 20;

/** The variants for one pass of a convolution on a device. */
export function conv2dChoice(
  pass: Conv2dPass,
  sizes: Conv2dSizes,
  { software, subgroupSize }: Capabilities,
): Choice<Conv2dVariant> {
  const { n, c, h, w, o, kh, kw, stride, padding } = sizes;
  const fits = subgroupSize === LANES;
  const candidates: Conv2dVariant[] = ["direct", "tiled", ...(fits ? (["subgroup"] as const) : [])];
  const inSoftware = fits ? "subgroup" : "direct";
  const onHardware = multiplyAdds(sizes) >= SMALL ? "tiled" : "direct";
  return {
    key: `conv2d ${pass} ${n}x${c}x${h}x${w} ${o} ${kh}x${kw} s${stride} p${padding}`,
    candidates,
    byRule: software ? inSoftware : onHardware,
  };
}

/** The variant for one pass of a convolution on a device: a pure function of pass, sizes and capabilities. */
export function chooseConv2d(pass: Conv2dPass, sizes: Conv2dSizes, capabilities: Capabilities): Conv2dVariant {
  return chosenVariant(conv2dChoice(pass, sizes, capabilities), capabilities);
}
