export interface ConvInputs {
  readonly x: Float32Array;
  readonly w: Float32Array;
  readonly input: readonly number[];
  readonly filter: readonly number[];
  readonly output: readonly number[];
}

export function numbers(length: number, seed: number): Float32Array;
export function channelsLast(values: Float32Array, shape: readonly number[]): Float32Array;
export function filtersLast(values: Float32Array, shape: readonly number[]): Float32Array;
export function matmulInputs(workload: { size: number }): { a: Float32Array; b: Float32Array };
export function convInputs(workload: {
  input: readonly number[];
  outputs: number;
  kernel: number;
  padding: number;
}): ConvInputs;
export function trainingInputs(workload: { network: string; batch: number }): {
  images: Float32Array;
  shape: number[];
  targets: Float32Array;
  learningRate: number;
};
export function checkMatmul(
  workload: { size: number; dtype: string },
  inputs: { a: Float32Array; b: Float32Array },
  values: ArrayLike<number>,
): void;
export function checkConv(
  workload: { padding: number },
  inputs: ConvInputs,
  at: (spot: readonly number[]) => number,
): void;
export function checkFinite(values: readonly number[] | Float32Array, what: string): void;
