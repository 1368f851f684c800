import { localManner, type AskingManner, type QueryBatch, type Teacher } from "../../src/activemixup/index.js";

export const CLASSES = 10;

/** Answers by the brightness of the image, and remembers what it was shown. */
export class BrightnessTeacher implements Teacher {
  readonly classes = CLASSES;
  readonly shown: Uint8Array[] = [];

  /** @param shift makes teachers that answer otherwise */
  constructor(
    readonly name = "brightness",
    private readonly shift = 0,
    readonly manner: AskingManner = localManner,
  ) {}

  query({ pixels, count }: QueryBatch): Promise<Float32Array[]> {
    const size = pixels.length / count;
    return Promise.resolve(
      Array.from({ length: count }, (_, image) => {
        const own = pixels.slice(image * size, (image + 1) * size);
        this.shown.push(own);
        const brightness = (own.reduce((sum, value) => sum + value, 0) + this.shift) % CLASSES;
        const label = new Float32Array(CLASSES).fill(0.05);
        label[brightness] += 0.5;
        return label;
      }),
    );
  }
}
