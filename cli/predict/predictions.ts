/** What a network said of images: kept in few bytes an image, and written when all is known. */
import { csvLine } from "./csv.js";
import { percent, printable } from "../table.js";

/** A class that an image may be of. */
export interface Guess {
  /** Its number. */
  readonly class: number;
  /** Its name, or its number. */
  readonly label: string;
  readonly probability: number;
}

/** Writes predictions: all lines of a file or of stdout. */
export type Format = (predictions: Predictions) => Iterable<string>;

/** The `top` likeliest classes of each image, in the order in which the images were added. */
export class Predictions {
  readonly names: string[] = [];
  private readonly chunks: { readonly classes: Uint32Array; readonly probabilities: Float32Array }[] = [];

  constructor(
    /** Classes that are kept of each image. */
    readonly top: number,
    private readonly classNames: readonly string[] | undefined,
  ) {}

  /**
   * @param probabilities of all classes, image by image
   */
  add(names: readonly string[], probabilities: Float32Array): void {
    const { top } = this;
    const count = probabilities.length / names.length;
    const kept = { classes: new Uint32Array(names.length * top), probabilities: new Float32Array(names.length * top) };
    for (let image = 0; image < names.length; image++) {
      const row = probabilities.subarray(image * count, (image + 1) * count);
      kept.classes.set(likeliest(row, top), image * top);
      for (let rank = 0; rank < top; rank++) {
        kept.probabilities[image * top + rank] = row[kept.classes[image * top + rank]];
      }
    }
    // One by one: a call takes no more arguments than the stack has room for.
    for (const name of names) this.names.push(name);
    this.chunks.push(kept);
  }

  /** Each image's name and likeliest classes. */
  *rows(): Generator<{ readonly image: string; readonly guesses: Guess[] }> {
    const { top } = this;
    let at = 0;
    for (const { classes, probabilities } of this.chunks) {
      for (let image = 0; image < classes.length / top; image++) {
        const guesses = Array.from({ length: top }, (_, rank) => {
          const number = classes[image * top + rank];
          const probability = probabilities[image * top + rank];
          return { class: number, label: this.classNames?.[number] ?? String(number), probability };
        });
        yield { image: this.names[at++], guesses };
      }
    }
  }
}

/** The classes of the `top` largest numbers, the largest first, of equals the first. */
function likeliest(row: Float32Array, top: number): number[] {
  const found: number[] = [];
  for (let label = 0; label < row.length; label++) {
    if (found.length === top && !(row[label] > row[found[top - 1]])) continue;
    let place = found.length;
    while (place > 0 && row[label] > row[found[place - 1]]) place--;
    found.splice(place, 0, label);
    if (found.length > top) found.pop();
  }
  return found;
}

/** Six digits: more than 8-bit pixels and f32 weights are good for. */
const rounded = (probability: number) => Number(probability.toPrecision(6));

/** A line an image: its name, then classes with their shares. */
export function* textLines(predictions: Predictions): Generator<string> {
  for (const { image, guesses } of predictions.rows()) {
    const shown = guesses.map(({ label, probability }) => `${printable(label)} ${percent(probability)}`);
    yield `${printable(image)}  ${shown.join("  ")}\n`;
  }
}

/** A line an image: `image,label_1,probability_1,label_2,…`. */
export function* csvLines(predictions: Predictions): Generator<string> {
  const ranks = Array.from({ length: predictions.top }, (_, rank) => rank + 1);
  yield csvLine(["image", ...ranks.flatMap((rank) => [`label_${rank}`, `probability_${rank}`])]);
  for (const { image, guesses } of predictions.rows()) {
    yield csvLine([image, ...guesses.flatMap(({ label, probability }) => [label, String(rounded(probability))])]);
  }
}

/** One JSON object: `about`, and `predictions` with an entry an image. */
export function jsonLines(about: object): Format {
  return function* (predictions) {
    yield `${JSON.stringify(about).slice(0, -1)},"predictions":[`;
    let first = true;
    for (const { image, guesses } of predictions.rows()) {
      const exact = guesses.map((guess) => ({ ...guess, probability: rounded(guess.probability) }));
      yield `${first ? "" : ",\n"}${JSON.stringify({ image, guesses: exact })}`;
      first = false;
    }
    yield "]}\n";
  };
}
