import { acquisitionCases } from "./acquisition.js";
import type { Case } from "./case.js";
import { convolutionCases } from "./convolution.js";
import { imageCases } from "./images.js";
import { layerCases } from "./layers.js";
import { matmulCases } from "./matmul.js";
import { networkCases } from "./networks.js";

export { LONGEST_NAME, units, type Bound, type Case, type Recorded, type Unit, type Work } from "./case.js";

/** The rows, in the order to show them. */
export const cases: readonly Case[] = [
  ...matmulCases,
  ...convolutionCases,
  ...layerCases,
  ...imageCases,
  ...networkCases,
  ...acquisitionCases,
];
