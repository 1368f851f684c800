import argumentSource from "./argument.wgsl?raw";
import matricesSource from "./matrices.wgsl?raw";
import templateSource from "./template.wgsl?raw";

/** How WGSL is told the order of a matrix's elements in memory: Dawn takes `template`, before August 2026 `argument`. */
export type MatrixDialect = "template" | "argument";

/** Sizes of the matrices that a subgroup multiplies: M × K times K × N. */
export interface MatrixSizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Matrices of f16 that a whole subgroup multiplies and sums in f32, as tensor cores do. */
export interface SubgroupMatrix extends MatrixSizes {
  readonly dialect: MatrixDialect;
}

/** The dialects, the one to prefer first. */
export const matrixDialects: readonly MatrixDialect[] = ["template", "argument"];

/** The device's feature. */
export const MATRIX_FEATURE = "chromium-experimental-subgroup-matrix";

/** WGSL extensions that programs with matrices enable. */
export const MATRIX_ENABLES: readonly string[] = ["f16", "subgroups", "chromium_experimental_subgroup_matrix"];

/** The modules that declare matrices in a dialect: see matrices.wgsl. */
export function matrixSource(dialect: MatrixDialect): readonly string[] {
  return [matricesSource, dialect === "template" ? templateSource : argumentSource];
}

/** What is compiled into those modules. */
export function matrixConstants({ m, n, k }: MatrixSizes): Readonly<Record<string, number>> {
  return { MATRIX_M: m, MATRIX_N: n, MATRIX_K: k };
}

/** `16×16×16`: M × N × K. */
export function formatMatrix({ m, n, k }: MatrixSizes): string {
  return `${m}×${n}×${k}`;
}
