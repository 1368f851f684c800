import type { Capabilities } from "../../tensor/device.js";
import { tiledByRule } from "../gemm/split.js";
import { tiledCandidates, tiledVariants, type TiledVariant } from "../gemm/tile.js";
import { chosenVariant, type Choice } from "../variant.js";
import { multiplyAdds, weightGradientExtent, type Conv2dSizes } from "./contract.js";
import { correlationExtent, forwardCorrelation, inputGradientCorrelation, type Correlation } from "./correlation.js";
import { fitsFewChannels } from "./few-channels.js";

/**
 * `direct`: one output an invocation. `subgroup`: register tiles and shuffles, for software drivers with subgroups of
 * 8. The others use workgroup memory and are for GPUs: `tiled-…` a matrix product by tiles of so many rows and columns,
 * `few-channels` several output channels an invocation, not of the weights' gradient.
 */
export type Conv2dVariant = "direct" | "subgroup" | TiledVariant | "few-channels";

export const conv2dVariants: readonly Conv2dVariant[] = ["direct", "subgroup", ...tiledVariants, "few-channels"];

/** The three kernels of a convolution; each is chosen and measured by itself. */
export type Conv2dPass = "forward" | "inputGradient" | "weightGradient";

/** Size of the subgroups that `subgroup` needs, and most output channels in its tiles. */
export const LANES = 8;

/** Multiply-adds below which tiles are not worth it. */
const SMALL = 1 << 20;

/** Taps of an output above which `few-channels` is not worth trying. */
const FEW_TAPS = 512;

/** Output channels up to which `few-channels` runs by rule: a tile has at least twice as many rows. */
const FEW_OUTPUTS = 16;

/** The variants for one pass of a convolution on a device. */
export function conv2dChoice(pass: Conv2dPass, sizes: Conv2dSizes, capabilities: Capabilities): Choice<Conv2dVariant> {
  const { n, c, h, w, o, kh, kw, stride, padding } = sizes;
  const correlation = correlationOf(pass, sizes);
  const extent = correlation ? correlationExtent(correlation) : weightGradientExtent(sizes);

  const inSoftware: Conv2dVariant[] = capabilities.subgroupSize === LANES ? ["direct", "subgroup"] : ["direct"];
  const tiled = tiledCandidates(capabilities);
  const few: Conv2dVariant[] = [];
  if (correlation && extent.depth <= FEW_TAPS && fitsFewChannels(correlation, capabilities)) few.push("few-channels");

  const onHardware: Conv2dVariant[] = ["direct"];
  if (multiplyAdds(sizes) >= SMALL) {
    const byTiles = tiledByRule(extent);
    onHardware.unshift(...(extent.rows <= FEW_OUTPUTS ? few : []), ...tiled.filter((variant) => variant === byTiles));
  }
  return {
    key: `conv2d ${pass} ${n}x${c}x${h}x${w} ${o} ${kh}x${kw} s${stride} p${padding}`,
    candidates: [...inSoftware, ...tiled, ...few],
    byRule: capabilities.software ? inSoftware[inSoftware.length - 1] : onHardware[0],
  };
}

/** The pass as a correlation; the weights' gradient is none. */
function correlationOf(pass: Conv2dPass, sizes: Conv2dSizes): Correlation | undefined {
  if (pass === "forward") return forwardCorrelation(sizes, { hasBias: false, relu: false });
  if (pass === "inputGradient") return inputGradientCorrelation(sizes);
  return undefined;
}

/** The variant for one pass of a convolution on a device: a pure function of pass, sizes and capabilities. */
export function chooseConv2d(pass: Conv2dPass, sizes: Conv2dSizes, capabilities: Capabilities): Conv2dVariant {
  return chosenVariant(conv2dChoice(pass, sizes, capabilities), capabilities);
}
