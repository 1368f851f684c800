import type { Capabilities } from "../../tensor/device.js";
import type { Grid, Program } from "../../tensor/launch.js";
import { expectWorkgroup, fitsWorkgroup, type WorkgroupNeeds } from "../expect.js";
import { linearGrid, powerOfTwo } from "../grid.js";
import type { MatmulOptions, MatmulSizes } from "./contract.js";
import productSource from "./product.wgsl?raw";
import thinSource from "./thin.wgsl?raw";

/** `few-rows`: for results of few rows. `few-results`: for results of few elements, each a long sum. */
export type ThinVariant = "few-rows" | "few-results";

export const thinVariants: readonly ThinVariant[] = ["few-results", "few-rows"];

/** Whether a variant is one of thin.wgsl. */
export function isThin(variant: string): variant is ThinVariant {
  return (thinVariants as readonly string[]).includes(variant);
}

/** What the variants are for; forced by name they take any product. */
const worthWhile: Record<ThinVariant, (sizes: MatmulSizes) => boolean> = {
  "few-results": ({ m, n }) => m * n <= 128,
  "few-rows": ({ m }) => m <= 8,
};

/** What is compiled into thin.wgsl; powers of 2, so that sizes share pipelines. */
function thinTile(variant: ThinVariant, { m }: MatmulSizes, { transposeB = false }: MatmulOptions) {
  const shape = variant === "few-rows" && !transposeB ? { COLUMNS: 32, LANES: 8 } : { COLUMNS: 4, LANES: 64 };
  return { ROWS: Math.min(powerOfTwo(m), variant === "few-rows" ? 8 : 4), ...shape, ALONG_K: transposeB };
}

const MOST_NEEDS: WorkgroupNeeds = { invocations: 256, memory: 4 * 8 * 256 };

/** The thin variants that a device can run and that are for products of these sizes. */
export function thinCandidates(sizes: MatmulSizes, capabilities: Capabilities): ThinVariant[] {
  if (!fitsWorkgroup(MOST_NEEDS, capabilities)) return [];
  return thinVariants.filter((variant) => worthWhile[variant](sizes));
}

/**
 * Program and grid of a thin variant.
 * @throws DeviceError where the device's workgroups are too small.
 */
export function planThin(
  variant: ThinVariant,
  sizes: MatmulSizes,
  options: MatmulOptions,
  capabilities: Capabilities,
): { program: Program; grid: Grid } {
  expectWorkgroup("matmul", variant, MOST_NEEDS, capabilities, ["register"]);
  const tile = thinTile(variant, sizes, options);
  return {
    program: { name: `matmul/${variant}`, source: [productSource, thinSource], constants: tile },
    grid: linearGrid(Math.ceil(sizes.m / tile.ROWS) * Math.ceil(sizes.n / tile.COLUMNS), 1),
  };
}
