import fc from "fast-check";
import { expect, it } from "vitest";
import { encodePng } from "../../../src/activemixup/teacher/http/png.node.js";
import { decodePng } from "../../../src/data/png.node.js";

it("writes PNG files that hold the very pixels", () => {
  const image = fc
    .record({
      channels: fc.constantFrom(1, 3),
      height: fc.integer({ min: 1, max: 9 }),
      width: fc.integer({ min: 1, max: 9 }),
    })
    .chain((shape) => {
      const size = shape.channels * shape.height * shape.width;
      return fc.uint8Array({ minLength: size, maxLength: size }).map((pixels) => ({ ...shape, pixels }));
    });
  fc.assert(
    fc.property(image, ({ pixels, ...shape }) => {
      expect(decodePng(encodePng(shape, pixels), "image")).toEqual({ ...shape, pixels: Uint8Array.from(pixels) });
    }),
  );
});
