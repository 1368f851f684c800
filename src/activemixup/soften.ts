/**
 * Probabilities below this count as so much: a teacher that rounds its answers has said no more of them, and the
 * logarithm of 0 is none.
 */
const LEAST = 1e-7;

/**
 * Probabilities at a temperature: each to the power of 1 / `temperature`, divided by their sum. The classes that a sure
 * teacher finds unlikely are then told apart by more than rounding errors (Hinton et al. 2015, section 2: softmax of
 * logits / T, which by the logarithm of probabilities is the same).
 * @param labels class probabilities, one image after the other
 * @param classes of each image
 * @param temperature above 0; `labels` are returned as they are at 1
 */
export function soften(labels: Float32Array, classes: number, temperature: number): Float32Array {
  if (temperature === 1) return labels;
  const softened = new Float32Array(labels.length);
  for (let start = 0; start < labels.length; start += classes) {
    const powers = Array.from(labels.subarray(start, start + classes), (p) => Math.max(p, LEAST) ** (1 / temperature));
    const total = powers.reduce((sum, power) => sum + power, 0);
    softened.set(
      powers.map((power) => power / total),
      start,
    );
  }
  return softened;
}
