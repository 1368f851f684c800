import { InputError } from "../../errors.js";
import type { ImageShape } from "../../nn/index.js";

/**
 * Requires images to be of the shape that a teacher takes.
 * @throws InputError where they are not
 */
export function expectImageShape(teacher: string, taken: ImageShape, images: ImageShape): void {
  const { channels, height, width } = taken;
  if (images.channels === channels && images.height === height && images.width === width) return;
  throw new InputError(
    `the teacher ${teacher} takes images of ${channels} × ${height} × ${width}; these are ${images.channels} × ` +
      `${images.height} × ${images.width}: give images of the teacher's size (image files: ${sizeOptions(taken)})`,
  );
}

/** The options that bring image files to this shape. */
export function sizeOptions({ channels, height, width }: ImageShape): string {
  return `--size ${height}x${width}${channels === 1 || channels === 3 ? ` --channels ${channels}` : ""}`;
}
