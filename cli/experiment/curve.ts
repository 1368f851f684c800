/** Mean and spread over seeds, and what a row's curve says of the queries that it needs. */

/** Mean of a quantity over seeds. */
export interface Spread {
  readonly mean: number;
  /** Sample standard deviation; absent where there is one value. */
  readonly sd?: number;
  readonly count: number;
}

/** Mean and sample standard deviation; nothing of no values. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const count = values.length;
  if (count === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count === 1) return { mean, count };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: Math.sqrt(squares / (count - 1)), count };
}

/** What a row had reached with so many queries. */
export interface CurvePoint {
  readonly queries: number;
  readonly value: number;
}

/** Queries at which a curve reaches a value. */
export interface Reached {
  readonly queries: number;
  /** The curve begins above the value: fewer queries may do. */
  readonly atMost: boolean;
}

/**
 * The smallest number of queries at which a curve reaches a value; between two points it rises linearly in the logarithm
 * of the queries.
 * @param curve by rising queries
 * @returns nothing where it stays below
 */
export function queriesToReach(curve: readonly CurvePoint[], value: number): Reached | undefined {
  const index = curve.findIndex((point) => point.value >= value);
  if (index < 0) return undefined;
  const after = curve[index];
  if (index === 0) return { queries: after.queries, atMost: after.value > value };
  const before = curve[index - 1];
  const part = (value - before.value) / (after.value - before.value);
  const queries = Math.exp(Math.log(before.queries) + part * Math.log(after.queries / before.queries));
  return { queries, atMost: false };
}

/** What share of the baseline's queries a row needs for the value that the baseline has with them. */
export interface Share {
  /** Queries of the baseline. */
  readonly of: number;
  /** What the baseline has reached with them. */
  readonly value: number;
  /** Absent where the row does not reach that value. */
  readonly reached?: Reached & { readonly share: number };
}

/** {@link Share} at each point of the baseline's curve. */
export function sharesOf(curve: readonly CurvePoint[], baseline: readonly CurvePoint[]): Share[] {
  return baseline.map(({ queries: of, value }) => {
    const reached = queriesToReach(curve, value);
    return { of, value, ...(reached ? { reached: { ...reached, share: reached.queries / of } } : {}) };
  });
}
