/** Parsers of option values: they refuse at once what cannot be meant. */
import { InvalidArgumentError } from "commander";
import type { ImageShape } from "../src/nn/index.js";

/** A whole number from `least` up, at most 2^32 − 1. */
export function whole(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > 0xffffffff) {
      throw new InvalidArgumentError(`expected a whole number from ${least} up.`);
    }
    return value;
  };
}

/** A number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError("expected a number above 0.");
  }
  return value;
}

/** A share, from 0 to 1. */
export function share(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError("expected a share from 0 to 1, for example 0.1.");
  }
  return value;
}

/** Numbers with commas between them: a λ grid. */
export function numbers(text: string): number[] {
  const values = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  if (values.some((value) => !Number.isFinite(value))) {
    throw new InvalidArgumentError("expected numbers with commas between them, for example 0.3,0.5,0.7.");
  }
  return values;
}

/** Whole numbers from `least` up, with commas between them: batch sizes. */
export function wholes(least: number): (text: string) => number[] {
  return (text) => text.split(",").map((part) => whole(least)(part.trim()));
}

/** `1x28x28`: channels, height and width of images. */
export function imageShape(text: string): ImageShape {
  const [, channels, height, width] = (/^([1-9]\d*)x([1-9]\d*)x([1-9]\d*)$/.exec(text) ?? []).map(Number);
  if (!width || Math.max(channels, height, width) > 0xffff) {
    throw new InvalidArgumentError("expected channels, height and width, for example 3x32x32.");
  }
  return { channels, height, width };
}

/** Values of an option that may be given several times. */
export function several(value: string, before: readonly string[] = []): string[] {
  if (value === "") throw new InvalidArgumentError("expected something.");
  return [...before, value];
}
