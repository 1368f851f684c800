import type { CandidateKind } from "./candidates/index.js";
import type { WarpPreset } from "./warps.js";

/** What a recipe settles; each has an option of its own, which prevails. */
export interface Recipe {
  readonly about: string;
  readonly strategy: string;
  readonly candidates: CandidateKind;
  /** How images are warped in training. */
  readonly augment: WarpPreset | "none";
  /** At which the student is trained on the answers. */
  readonly temperature: number;
}

/** Settings that go together, by name. docs/recipes.md says what each brings, and how `best` was found. */
export const recipes = {
  paper: {
    about: "as published: the blends of pairs that the student is least sure of",
    strategy: "confidence",
    candidates: "mix",
    augment: "none",
    temperature: 1,
  },
  best: {
    about:
      "the best that was found: unlike one another and doubtful, of warped, mixed and cut images, answers softened",
    strategy: "badge",
    candidates: "mixture",
    augment: "none",
    temperature: 4,
  },
} as const satisfies Readonly<Record<string, Recipe>>;

/** Name of a recipe. */
export type RecipeName = keyof typeof recipes;
