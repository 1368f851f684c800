import { Predictor, type Network } from "../nn/index.js";

/** Several students that predict together, by the mean of their probabilities. */
export class MeanPredictor {
  private constructor(
    private readonly classes: number,
    private readonly predictors: readonly Predictor[],
  ) {}

  /** @param capacity images that are on the device at once, for each student; more are taken in turns */
  static async create(students: readonly Network[], capacity: number): Promise<MeanPredictor> {
    const predictors: Predictor[] = [];
    for (const student of students) predictors.push(await Predictor.create(student, capacity));
    return new MeanPredictor(students[0].spec.classes, predictors);
  }

  /**
   * What the students say of images in the mean: class probabilities of each.
   * @param pixels 8-bit values, N C H W, of the students' image shape
   * @throws ShapeError where they are no whole number of images.
   */
  async predict(pixels: Uint8Array, signal?: AbortSignal): Promise<Float32Array[]> {
    const { classes } = this;
    let sums = new Float32Array();
    for (const predictor of this.predictors) {
      const { probabilities } = await predictor.predict(pixels, signal);
      if (sums.length === 0) sums = new Float32Array(probabilities.length);
      for (const [place, probability] of probabilities.entries()) sums[place] += probability / this.predictors.length;
    }
    return Array.from({ length: sums.length / classes }, (_, row) => sums.subarray(row * classes, (row + 1) * classes));
  }

  dispose(): void {
    for (const predictor of this.predictors) predictor.dispose();
  }
}
