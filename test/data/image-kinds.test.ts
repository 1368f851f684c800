import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { decodeImage } from "../../src/data/decode-image.node.js";
import { scanImage } from "../../src/data/image-header.js";
import { concat, inputError, inputRejection, pattern, png, pngOf, words } from "./fixtures.js";

describe("WebP", () => {
  const still = { create: { width: 9, height: 5, channels: 4 as const, background: { r: 0, g: 0, b: 255, alpha: 0 } } };

  test("lossless, lossy and with alpha; transparent pixels show the background", async () => {
    const rgb = sharp(pattern(5 * 9 * 3), { raw: { width: 9, height: 5, channels: 3 } });
    const lossless = Uint8Array.from(await rgb.clone().webp({ lossless: true }).toBuffer());
    const image = await decodeImage(lossless, "a");
    const pixels = pattern(5 * 9 * 3);
    expect(image).toEqual({
      channels: 3,
      height: 5,
      width: 9,
      pixels: pixels.map((_, i) => pixels[3 * (i % 45) + Math.floor(i / 45)]),
    });
    for (const options of [{ lossless: true }, { quality: 80 }]) {
      const file = Uint8Array.from(await rgb.clone().webp(options).toBuffer());
      expect(scanImage(file, "a")).toMatchObject({ kind: "WebP", stored: { height: 5, width: 9 } });
    }
    const clear = Uint8Array.from(await sharp(still).webp().toBuffer());
    const shown = await decodeImage(clear, "a", { background: [1, 2, 3] });
    expect(shown.pixels).toEqual(Uint8Array.from({ length: 135 }, (_, i) => 1 + Math.floor(i / 45)));
  });

  test("of an animation the first picture", async () => {
    const frames = ["#f00", "#0f0"].map((background) => ({
      create: { width: 16, height: 8, channels: 3 as const, background },
    }));
    const pngs = await Promise.all(frames.map((frame) => sharp(frame).png().toBuffer()));
    const file = Uint8Array.from(
      await sharp(pngs, { join: { animated: true } })
        .webp({ lossless: true })
        .toBuffer(),
    );
    expect((await sharp(file).metadata()).pages).toBe(2);
    const image = await decodeImage(file, "a");
    expect(image).toMatchObject({ height: 8, width: 16 });
    expect([0, 1, 2].map((channel) => image.pixels[channel * 128])).toEqual([255, 0, 0]);
  });

  test("cut short anywhere, and damaged", async () => {
    const file = Uint8Array.from(
      await sharp(pattern(300), { raw: { width: 10, height: 10, channels: 3 } })
        .webp()
        .toBuffer(),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: file.length - 1 }), async (length) => {
        expect(await inputRejection(decodeImage(file.slice(0, length), "x.webp"))).toMatch(/^x\.webp: /);
      }),
    );
    const damaged = fc.tuple(fc.nat({ max: file.length - 1 }), fc.nat({ max: 255 }));
    await fc.assert(
      fc.asyncProperty(damaged, async ([at, value]) => {
        const bytes = file.slice();
        bytes[at] = value;
        const outcome = await decodeImage(bytes, "x.webp").catch(String);
        if (typeof outcome === "string") expect(outcome).toMatch(/^InputError: x\.webp: .*$/);
        else expect(outcome.pixels.length).toBe(3 * outcome.height * outcome.width);
      }),
    );
  });
});

describe("files that are not what they seem", () => {
  test("the kind is told by the content, not by the name", async () => {
    const jpeg = Uint8Array.from(
      await sharp({ create: { width: 4, height: 4, channels: 3, background: "#fff" } })
        .jpeg()
        .toBuffer(),
    );
    for (const name of ["x.png", "x.webp"]) {
      expect(await decodeImage(jpeg, name)).toMatchObject({ height: 4, width: 4 });
    }
    for (const name of ["x.jpg", "x.webp"]) {
      expect(await decodeImage(pngOf(1, 1, 0, [5]), name)).toMatchObject({ pixels: Uint8Array.of(5) });
    }
  });

  test("empty files and text are told from damaged ones", () => {
    const text = new TextEncoder().encode("<html>404</html>");
    expect(inputError(() => scanImage(new Uint8Array(), "x.png"))).toBe(
      "x.png: the file is empty; get it again, or remove it",
    );
    for (const [name, kind] of [
      ["x.png", "PNG"],
      ["x.jpg", "JPEG"],
      ["x.webp", "WebP"],
    ]) {
      expect(inputError(() => scanImage(text, name))).toBe(
        `${name}: its name says ${kind}, but its content is not; convert it to ${kind} or remove it`,
      );
    }
  });

  test("a claim of 60000 × 60000 in a few bytes is refused at once, with little memory", async () => {
    const before = process.memoryUsage().rss;
    const started = performance.now();
    const vp8x = concat(
      new TextEncoder().encode("RIFF"),
      Uint8Array.of(22, 0, 0, 0),
      new TextEncoder().encode("WEBPVP8X"),
      Uint8Array.of(10, 0, 0, 0, 0, 0, 0, 0, 0x5f, 0xea, 0, 0x5f, 0xea, 0),
    );
    const sof = Uint8Array.of(0xff, 0xd8, 0xff, 0xc0, 0, 9, 8, 0xea, 0x60, 0xea, 0x60, 3, 0);
    for (const [name, file] of [
      ["x.png", png(2, 2, { scanlines: new Uint8Array(6) })],
      ["x.webp", vp8x],
      ["x.jpg", sof],
    ] as const) {
      if (name === "x.png") file.set(words(60000, 60000), 16);
      for (const size of [undefined, { height: 32, width: 32 }]) {
        const message = await inputRejection(decodeImage(file, name, { size }));
        expect(message).toMatch(/^x\.\w+: its header says 60000x60000 pixels, expected .*268435456/);
      }
    }
    expect(performance.now() - started).toBeLessThan(1000);
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 2 ** 20);
  });
});
