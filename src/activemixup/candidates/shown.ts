import { bytesPerImage } from "../../data/index.js";
import { blendOnHost } from "../blend.js";
import type { DistillOptions } from "../options.js";
import type { AnsweredQuery } from "../report.js";
import { compositionPixels } from "./compositions.js";
import type { Pixels } from "./pairs.js";

/**
 * The 8-bit pixels that the teacher was shown for answered queries, one after the other.
 * @param images the real images that the run trained on
 * @param method of the run
 */
export function shownPixels(
  images: Pixels,
  answers: readonly AnsweredQuery[],
  { candidateWarps, seed }: Pick<DistillOptions, "candidateWarps" | "seed">,
): Uint8Array {
  const size = bytesPerImage(images);
  const all = new Uint8Array(answers.length * size);
  for (const [index, answer] of answers.entries()) {
    const { candidate, kind } = answer;
    const pixels =
      kind !== undefined && candidate !== undefined
        ? compositionPixels(images, [{ ...answer, kind, candidate }], { warps: candidateWarps, seed })
        : blendOnHost(images.pixels, size, [answer]);
    all.set(pixels, index * size);
  }
  return all;
}
