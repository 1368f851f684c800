/** Parsers of option values: they refuse at once what cannot be meant. */
import { InvalidArgumentError } from "commander";

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

/** Numbers with commas between them: a λ grid. */
export function numbers(text: string): number[] {
  const values = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  if (values.some((value) => !Number.isFinite(value))) {
    throw new InvalidArgumentError("expected numbers with commas between them, for example 0.3,0.5,0.7.");
  }
  return values;
}
