import type { Capabilities } from "../../tensor/device.js";
import type { GpuPlan, Program } from "../../tensor/launch.js";
import { expectWorkgroup } from "../expect.js";
import { linearGrid } from "../grid.js";
import { splitSum, tileCount, type Extent } from "./split.js";
import { tileNeeds, tiles, type TiledVariant } from "./tile.js";
import tileSource from "./tile.wgsl?raw";

/** An operands module (see tile.wgsl), together with the modules that it follows. */
export interface Operands extends Pick<Program, "source" | "constants"> {
  /** The kernel that it makes of the tiles, for example `matmul`. */
  readonly kernel: string;
  readonly params: GpuPlan["params"];
  /** Variants of the kernel that need no workgroup memory, for the message where there is too little. */
  readonly others: readonly string[];
}

/**
 * Program and grid of a product by tiles, in as many parts as {@link splitSum} says.
 * @throws DeviceError where the device's workgroups are too small for the tile.
 */
export function planTiled(
  variant: TiledVariant,
  extent: Extent,
  { kernel, source, constants, params, others }: Operands,
  capabilities: Capabilities,
): GpuPlan {
  const tile = tiles[variant];
  expectWorkgroup(kernel, variant, tileNeeds(tile), capabilities, others);
  const [x, y] = linearGrid(tileCount(tile, extent), 1);
  return {
    program: {
      name: `${kernel}/${variant}`,
      source: [...source, tileSource],
      constants: { ...constants, ...tile, UNROLLED: !capabilities.software },
    },
    params,
    grid: [x, y, splitSum(variant, extent).parts],
  };
}
