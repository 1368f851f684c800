import { Option, type Command } from "commander";
import {
  candidateKinds,
  defaultDistillOptions,
  recipes,
  strategies,
  warpPresets,
  type CandidateKind,
  type Recipe,
  type RecipeName,
  type WarpPreset,
} from "../../src/activemixup/index.js";
import { architectures } from "../../src/nn/index.js";
import { withImageOptions, type ImageCommandOptions } from "../images.js";
import { numbers, positive, several, share, whole, wholes } from "../parse.js";

/** What `distill` is asked to do, as given on the command line. */
export interface DistillCommandOptions extends ImageCommandOptions {
  readonly images: string;
  readonly teacher: readonly string[];
  readonly teacherConfig?: readonly string[];
  readonly labels?: string;
  readonly student: string;
  readonly out: string;
  readonly n: number;
  readonly budget: number;
  readonly reserve?: number;
  readonly freeRetries?: boolean;
  readonly skipUnanswered?: boolean;
  readonly ledger?: string;
  readonly rounds: number;
  readonly perRound?: number;
  readonly recipe?: RecipeName;
  readonly strategy: string;
  readonly badgeSample?: number;
  readonly committee?: number;
  readonly pseudoLabels?: number;
  readonly candidates: CandidateKind;
  readonly candidateWarps?: WarpPreset;
  readonly neighbours?: number;
  readonly brightness?: number;
  readonly lambdas: readonly number[];
  readonly pool?: number;
  readonly exactBlends?: boolean;
  readonly epochs: number;
  readonly totals?: readonly number[];
  readonly steps?: readonly number[];
  readonly restart?: boolean;
  readonly shrink?: number;
  readonly realShare?: number;
  readonly temperature?: number;
  readonly average?: number;
  readonly batch: number;
  readonly optimizer: "adam" | "sgd";
  readonly rate?: number;
  readonly schedule: "cosine" | "paper" | "constant";
  readonly augment: WarpPreset | "none";
  readonly augmentShare: number;
  readonly augmentRounds?: number;
  readonly crop: number;
  readonly flip?: boolean;
  readonly holdout?: number;
  readonly targetAgreement?: number;
  readonly patience?: number;
  readonly test?: string;
  readonly askTest?: boolean;
  readonly seed: number;
}

/** Options without which no run begins; a resumed run has them from its folder. */
export const required = ["images", "teacher", "student", "n", "budget", "out"] as const;

/** Adds the options that say what a run is; those in {@link required} are checked by the command. */
export function withDistillOptions(command: Command): Command {
  const defaults = defaultDistillOptions;
  command
    .option("--images <path>", "where the unlabelled images are: PATH or PATH:train or PATH:test (required)")
    .option(
      "--teacher <where>",
      "who is asked: FILE.safetensors, http(s)://…, exec:COMMAND, module:FILE or onnx:FILE; " +
        "several times for the mean of several (required)",
      several,
    )
    .option(
      "--teacher-config <file>",
      "settings of the teacher (JSON); as often as --teacher, or once for all",
      several,
    )
    .option("--labels <file>", "names of the classes, one a line, in the order of their numbers")
    .option("--student <name>", `student: ${architectures.join(", ")}, or a network file to start from (required)`)
    .option("--n <count>", "real images to use, drawn by the seed (required)", whole(1))
    .option("--budget <queries>", "most queries to each teacher, the n real images included (required)", whole(1))
    .option(
      "--reserve <queries>",
      "of the budget, kept for attempts that fail (default: 2%, or what is under way at a time where that is more, at most a quarter of what the real images leave; 0 for teachers that are files)",
      whole(0),
    )
    .option("--free-retries", "attempts that fail do not count against the budget")
    .option("--skip-unanswered", "leave out images that the teacher never answers rightly, instead of ending the run")
    .option("--out <folder>", "where the run goes; new or empty (required)")
    .option(
      "--ledger <folder>",
      "where the teachers' answers are kept, to share them with other runs (default: in --out)",
    )
    .option("--rounds <count>", "rounds of choosing blends and asking", whole(0), defaults.rounds)
    .option("--per-round <queries>", "queries a round, instead of --rounds", whole(1))
    .option(
      "--totals <list>",
      "queries by the end of each round, growing, instead of --rounds: for example 1000,2000,4000",
      wholes(1),
    )
    .addOption(
      new Option(
        "--recipe <name>",
        `settings for --strategy, --candidates, --augment and --temperature, each where it is not given: ${describe(recipes)}`,
      ).choices(Object.keys(recipes)),
    )
    .option(
      "--badge-sample <count>",
      "of --strategy badge, the candidates that it chooses from, more than a round asks about (default: 20000 or more)",
      whole(1),
    )
    .option("--strategy <name>", `how candidates are chosen: ${describe(strategies)}`, defaults.strategy)
    .option(
      "--committee <students>",
      "of --strategy committee and --pseudo-labels, the one kept among them (default: 3)",
      whole(2),
    )
    .addOption(
      new Option("--candidates <kind>", `what is chosen from: ${describe(candidateKinds)}`)
        .choices(Object.keys(candidateKinds))
        .default(defaults.candidates),
    )
    .addOption(
      new Option(
        "--candidate-warps <name>",
        "how candidates are warped, but for mix (default: as --augment, affine where that is none)",
      ).choices(Object.keys(warpPresets)),
    )
    .option(
      "--brightness <share>",
      "candidates' images are made darker or brighter by up to so much, but for mix (default: not at all)",
      share,
    )
    .option(
      "--neighbours <count>",
      "real images most like the first, among which the second of cutmix and mixture is drawn (default: all others)",
      whole(1),
    )
    .option("--lambdas <list>", "shares of the first image in a blend, of mix", numbers, [...defaults.lambdas])
    .option(
      "--pool <count>",
      "candidates: of mix, a random sample of all pairs (default: all); of others, drawn each round (default: 60000)",
      whole(1),
    )
    .option("--exact-blends", "score blends in 8 bits, as the teacher sees them, even where that is slower")
    .option("--epochs <count>", "passes over all that is labelled, each round", whole(1), defaults.epochs)
    .option(
      "--steps <count>",
      "training steps each round, instead of --epochs; or a list, one a round, the real images' first and --pseudo-labels' last",
      wholes(1),
    )
    .option("--restart", "start the student anew each round")
    .option(
      "--shrink <share>",
      "share of the student's weights that it takes into the next round, its first ones for the rest (default: 1)",
      share,
    )
    .option(
      "--real-share <share>",
      "share of real images in each training step, once they are fewer of all that is labelled (default: as many as they are)",
      share,
    )
    .option(
      "--temperature <T>",
      "train on answers softened by T, 1 to 100, the student's likewise (default: 1, not at all)",
      positive,
    )
    .option(
      "--average <share>",
      "of each round's steps, the last, over which weights are averaged; above 0 (default: not at all)",
      share,
    )
    .option(
      "--pseudo-labels <count>",
      "candidates that a committee labels in the teacher's place, in a closing round that asks nothing (default: none)",
      whole(1),
    )
    .option("--batch <images>", "images in a training step", whole(1), defaults.batch)
    .addOption(
      new Option("--optimizer <name>", "sgd: with the paper's momentum and weight decay")
        .choices(["adam", "sgd"])
        .default("adam"),
    )
    .option("--rate <rate>", "highest learning rate (default: 0.002; 0.01 with the paper's schedule)", positive)
    .addOption(
      new Option("--schedule <name>", "course of the learning rate in each round; paper: divided by 10 three times")
        .choices(["cosine", "paper", "constant"])
        .default("cosine"),
    )
    .addOption(
      new Option(
        "--augment <name>",
        "warp images at random in training, instead of --crop: a little (light), or as far as writing stays readable (affine, elastic)",
      )
        .choices(["none", ...Object.keys(warpPresets)])
        .default("none"),
    )
    .option("--augment-share <share>", "of the images in training, how many --augment warps", share, 0.5)
    .option(
      "--augment-rounds <count>",
      "rounds in which --augment warps, the real images' first; --crop shifts in the others (default: all)",
      whole(1),
    )
    .option(
      "--crop <pixels>",
      "shift images by up to so many pixels in training, unless --augment warps them",
      whole(0),
      defaults.augmentation.crop,
    )
    .option("--flip", "mirror images at random in training, and those that are warped for candidates")
    .option(
      "--holdout <share>",
      "of the n images, not trained on: the best round's student on them is kept (default: 0.1; 0 with --test)",
      share,
    )
    .option("--target-agreement <share>", "end once student and teacher agree on so many held-out images", share)
    .option("--patience <rounds>", "end after so many rounds without a better student on held-out images", whole(1))
    .option("--test <path>", "test images to report on; with labels for accuracy")
    .option("--ask-test", "ask the teacher about the test images too, outside the budget (default: only if free)")
    .option("--seed <seed>", "seed of all random numbers", whole(0), defaults.seed)
    .option(
      "--resume <folder>",
      "go on with the run in this folder, as its config.json says; no other option is needed (a larger --budget asks more)",
    );
  withImageOptions(command);
  // Behind the option's own listener, which refuses unknown names.
  return command.on("option:recipe", (name: RecipeName) => {
    followRecipe(command, recipes[name]);
  });
}

/** Names with what they are about. */
function describe(entries: Readonly<Record<string, { readonly about: string }>>): string {
  return Object.entries(entries)
    .map(([name, { about }]) => `${name}, ${about}`)
    .join("; ");
}

/** A recipe's settings take the place of defaults, and leave alone what is given. */
function followRecipe(command: Command, { strategy, candidates, augment, temperature }: Recipe): void {
  for (const [option, value] of Object.entries({ strategy, candidates, augment, temperature })) {
    if (command.getOptionValueSource(option) !== "cli") command.setOptionValueWithSource(option, value, "implied");
  }
}
