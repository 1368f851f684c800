import { Predictor, type Network } from "../nn/index.js";

/** Images that are on the device at once. */
const MOST = 2048;

/**
 * What a committee says of images that no teacher was asked about: the mean of its students' probabilities, which is
 * nearer to the teacher's than those of any one of them (Buciluă, Caruana, Niculescu-Mizil, "Model compression", KDD
 * 2006; Lee, "Pseudo-label", ICML workshop 2013).
 * @param pixels 8-bit values, N C H W
 * @param onProgress hears of the images that all students have seen, N times their number at the end
 * @returns class probabilities of each image
 */
export async function pseudoLabels(
  students: readonly Network[],
  pixels: Uint8Array,
  { signal, onProgress }: { signal?: AbortSignal | undefined; onProgress?: (seen: number) => void } = {},
): Promise<Float32Array[]> {
  const { classes, image } = students[0].spec;
  const count = pixels.length / (image.channels * image.height * image.width);
  const sums = new Float32Array(count * classes);
  for (const [index, student] of students.entries()) {
    const predictor = await Predictor.create(student, Math.min(count, MOST));
    try {
      const hearing = (done: number) => onProgress?.(index * count + done);
      const { probabilities } = await predictor.predict(pixels, signal, hearing);
      for (const [place, probability] of probabilities.entries()) sums[place] += probability / students.length;
    } finally {
      predictor.dispose();
    }
  }
  return Array.from({ length: count }, (_, row) => sums.subarray(row * classes, (row + 1) * classes));
}
