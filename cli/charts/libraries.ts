import { InputError } from "../../src/errors.js";

/** What draws charts, without a browser: loaded when there is something to draw. */
export type ChartLibraries = Awaited<ReturnType<typeof loadCharts>>;

/**
 * Loads what draws charts.
 * @throws InputError that names the packages, where they are not installed
 */
export async function loadCharts() {
  try {
    const [Plot, { parseHTML }] = await Promise.all([import("@observablehq/plot"), import("linkedom")]);
    return { Plot, parseHTML };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new InputError("what draws charts is not installed; install it by `npm install @observablehq/plot linkedom`");
  }
}
