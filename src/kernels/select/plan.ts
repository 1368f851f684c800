import type { GpuPlan, Grid } from "../../tensor/launch.js";
import philox from "../../tensor/philox.wgsl?raw";
import { RandomStream } from "../../tensor/random.js";
import { linearGrid } from "../grid.js";
import nanSource from "../nan.wgsl?raw";
import drawLambdaSource from "../mixup/draw-lambda.wgsl?raw";
import chooseSource from "./choose.wgsl?raw";
import compactSource from "./compact.wgsl?raw";
import type { PairSizes, ScorePairsOptions } from "./contract.js";
import countSource from "./count.wgsl?raw";
import histogramSource from "./histogram.wgsl?raw";
import keySource from "./key.wgsl?raw";
import resetSource from "./reset.wgsl?raw";
import scanSource from "./scan.wgsl?raw";
import scorePairsSource from "./score-pairs.wgsl?raw";
import startsSource from "./starts.wgsl?raw";

/** Program and grid of scorePairs. */
export function planScorePairs(
  { batch, perPair, classes, pool }: PairSizes,
  { lambdas, single }: ScorePairsOptions,
): GpuPlan {
  const workgroup = 64;
  return {
    program: {
      name: "select/score-pairs",
      source: [philox, drawLambdaSource, nanSource, scorePairsSource],
      constants: { WORKGROUP: workgroup, LAMBDA_STREAM: RandomStream.lambda },
    },
    params: [batch, perPair, classes, pool, Number(single !== undefined), single?.seed ?? 0, lambdas],
    grid: linearGrid(batch, workgroup),
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
