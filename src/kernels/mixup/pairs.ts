import { ShapeError } from "../../errors.js";

/**
 * Pairs i < j of n images, numbered from 0 in lexicographic order: (0, 1), (0, 2), … (0, n − 1), (1, 2), … A pair's
 * number says all there is to know about it, so that a pool of pairs is a range of whole numbers.
 */

/** Most images whose pairs are numbered: so many numbers fit 32 bits. */
export const MOST_PAIRED_IMAGES = 92_681;

/**
 * n(n − 1) / 2.
 * @throws ShapeError where `n` is not 2 to 92681.
 */
export function pairCount(n: number): number {
  if (!Number.isInteger(n) || n < 2 || n > MOST_PAIRED_IMAGES) {
    throw new ShapeError(
      `pairs: of ${n} images; expected 2 to ${MOST_PAIRED_IMAGES}, so that pair numbers fit 32 bits`,
    );
  }
  return (n * (n - 1)) / 2;
}

/** Number of the first pair of row i, (i, i + 1). */
const rowStart = (i: number, n: number): number => (i * (2 * n - 1 - i)) / 2;

/**
 * Number of the pair (i, j).
 * @throws ShapeError where not 0 ≤ i < j < n.
 */
export function pairNumber(i: number, j: number, n: number): number {
  pairCount(n);
  if (!(Number.isInteger(i) && Number.isInteger(j) && 0 <= i && i < j && j < n)) {
    throw new ShapeError(`pairs: (${i}, ${j}) of ${n} images; expected whole numbers 0 ≤ i < j < ${n}`);
  }
  return rowStart(i, n) + j - i - 1;
}

/**
 * The pair (i, j), i < j, that `number` stands for.
 * @throws ShapeError where there is no such pair.
 */
export function pairOf(number: number, n: number): [number, number] {
  const pairs = pairCount(n);
  if (!Number.isInteger(number) || number < 0 || number >= pairs) {
    throw new ShapeError(`pairs: number ${number} of ${n} images; expected a whole number from 0 to ${pairs - 1}`);
  }
  // Counted from the last row, which holds one pair, rows start at triangular numbers.
  const fromEnd = pairs - 1 - number;
  let i = n - 2 - Math.floor((Math.sqrt(8 * fromEnd + 1) - 1) / 2);
  // The root is rounded, which may put it into the row before or after.
  while (rowStart(i, n) > number) i--;
  while (rowStart(i + 1, n) <= number) i++;
  return [i, i + 1 + number - rowStart(i, n)];
}
