import type { GpuPlan, Grid } from "../../tensor/launch.js";
import philox from "../../tensor/philox.wgsl?raw";
import { RandomStream } from "../../tensor/random.js";
import { linearGrid } from "../grid.js";
import logSumExpSource from "../loss/log-sum-exp.wgsl?raw";
import nanSource from "../nan.wgsl?raw";
import drawLambdaSource from "../mixup/draw-lambda.wgsl?raw";
import addBeliefSource from "./add-belief.wgsl?raw";
import chooseSource from "./choose.wgsl?raw";
import compactSource from "./compact.wgsl?raw";
import type { PairSizes, ScorePairsOptions, ScoreTable } from "./contract.js";
import countSource from "./count.wgsl?raw";
import gumbelSource from "./gumbel.wgsl?raw";
import histogramSource from "./histogram.wgsl?raw";
import keySource from "./key.wgsl?raw";
import resetSource from "./reset.wgsl?raw";
import scanSource from "./scan.wgsl?raw";
import scorePairsSource from "./score-pairs.wgsl?raw";
import startsSource from "./starts.wgsl?raw";

/** What score-pairs.wgsl makes of a row, by number. */
const SCORES = { CONFIDENCE: 0, MARGIN: 1, ENTROPY: 2, BELIEF: 3 };

/** The bits of an f32 NaN, for kernels that have to write one. */
const NAN_BITS = 0x7fc00000;

/** Program and grid of scorePairs. */
export function planScorePairs(
  sizes: PairSizes,
  { score = "confidence", noise, ...table }: Pick<ScorePairsOptions, "score" | "noise" | "lambdas" | "single">,
): GpuPlan {
  const number = { confidence: SCORES.CONFIDENCE, margin: SCORES.MARGIN, entropy: SCORES.ENTROPY }[score];
  return planScores(sizes, table, [number, 1, Number(noise !== undefined), noise?.seed ?? 0]);
}

/** Program and grid of scoreBelief: the same program. */
export function planScoreBelief(
  sizes: PairSizes,
  members: number,
  table: Pick<ScoreTable, "lambdas" | "single">,
): GpuPlan {
  return planScores(sizes, table, [SCORES.BELIEF, members, 0, 0]);
}

function planScores(
  { batch, perPair, classes, pool }: PairSizes,
  { lambdas, single }: Pick<ScoreTable, "lambdas" | "single">,
  how: readonly number[],
): GpuPlan {
  const workgroup = 64;
  return {
    program: {
      name: "select/score-pairs",
      source: [philox, drawLambdaSource, gumbelSource, nanSource, scorePairsSource],
      constants: {
        WORKGROUP: workgroup,
        LAMBDA_STREAM: RandomStream.lambda,
        GUMBEL_STREAM: RandomStream.gumbel,
        ...SCORES,
      },
    },
    params: [batch, perPair, classes, pool, Number(single !== undefined), single?.seed ?? 0, lambdas, ...how],
    grid: linearGrid(batch, workgroup),
  };
}

/** Program and grid of addBelief. */
export function planAddBelief({ rows, classes }: { rows: number; classes: number }, add: boolean): GpuPlan {
  const workgroup = 64;
  return {
    program: {
      name: "select/add-belief",
      source: [logSumExpSource, addBeliefSource],
      constants: { WORKGROUP: workgroup },
    },
    params: [rows, classes, NAN_BITS, Number(add)],
    grid: linearGrid(rows, workgroup),
  };
}

/** One invocation for each of the 256 bins of a histogram of 8 bits. */
const WORKGROUP = 256;
/** Scores that one invocation reads. */
const ITEMS = 64;
const BLOCK = WORKGROUP * ITEMS;

const ONE: Grid = [1, 1, 1];

/** Positions of the 8 bits of a key that are settled one after the other. */
export const DIGIT_SHIFTS: readonly number[] = [24, 16, 8, 0];

/** Blocks that the scores are counted in. */
export const selectBlocks = (count: number): number => Math.ceil(count / BLOCK);

/** Programs and grids of the launches that selectLowest is made of, for `count` scores. */
export const planSelect = {
  reset: (k: number): GpuPlan => ({
    program: { name: "select/reset", source: [resetSource], constants: { WORKGROUP } },
    params: [k],
    grid: ONE,
  }),
  histogram: (count: number, shift: number): GpuPlan => ({
    program: { name: "select/histogram", source: [keySource, histogramSource], constants: { WORKGROUP, ITEMS } },
    params: [count, shift],
    grid: linearGrid(count, BLOCK),
  }),
  choose: (shift: number): GpuPlan => ({
    program: { name: "select/choose", source: [scanSource, chooseSource], constants: { WORKGROUP } },
    params: [shift],
    grid: ONE,
  }),
  count: (count: number): GpuPlan => ({
    program: { name: "select/count", source: [keySource, countSource], constants: { WORKGROUP, ITEMS } },
    params: [count, selectBlocks(count)],
    grid: linearGrid(count, BLOCK),
  }),
  starts: (count: number): GpuPlan => ({
    program: { name: "select/starts", source: [scanSource, startsSource], constants: { WORKGROUP } },
    params: [selectBlocks(count)],
    grid: ONE,
  }),
  compact: (count: number): GpuPlan => ({
    program: {
      name: "select/compact",
      source: [keySource, scanSource, compactSource],
      constants: { WORKGROUP, ITEMS },
    },
    params: [count],
    grid: linearGrid(count, BLOCK),
  }),
};
