import type { MatmulOptions, MatmulSizes } from "./contract.js";

/** Defines matmul: C[i, j] = Σ_p A[i, p] · B[p, j] + bias[j], summed in f64. */
export function matmulReference(
  a: Float32Array,
  b: Float32Array,
  bias: Float32Array | undefined,
  c: Float32Array,
  { m, n, k }: MatmulSizes,
  { transposeA, transposeB, relu }: MatmulOptions,
): void {
  const row = new Float64Array(n);
  const [aRow, aColumn] = transposeA ? [1, m] : [k, 1];
  const [bRow, bColumn] = transposeB ? [1, k] : [n, 1];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) row[j] = bias ? bias[j] : 0;
    for (let p = 0; p < k; p++) {
      const value = a[i * aRow + p * aColumn];
      for (let j = 0; j < n; j++) row[j] += value * b[p * bRow + j * bColumn];
    }
    for (let j = 0; j < n; j++) c[i * n + j] = relu && row[j] <= 0 ? 0 : row[j];
  }
}
