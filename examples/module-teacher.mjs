/**
 * A teacher in JavaScript, for --teacher module:examples/module-teacher.mjs. It tells images that are brighter above
 * from those that are brighter below; put a call of your own model or service in its place.
 */
export const classNames = ["brighter above", "brighter below"];

/** How it likes to be asked, where that differs from the default: see docs/teachers.md. */
export const manner = { batch: 256, charges: false };

/**
 * @param batch `count` images of `channels` × `height` × `width`: `pixels` holds them one after the other, 0 to 255
 * @returns for each image one probability a class
 */
export function query({ count, channels, height, width, pixels }) {
  const size = channels * height * width;
  return Array.from({ length: count }, (_, image) => {
    const sums = [1, 1];
    for (let at = 0; at < size; at++) {
      const row = Math.floor(at / width) % height;
      sums[row < height / 2 ? 0 : 1] += pixels[image * size + at];
    }
    return sums.map((sum) => sum / (sums[0] + sums[1]));
  });
}
