import type { Prediction } from "../nn/index.js";
import { largest } from "./evaluation.js";
import { divergence } from "./holdout.js";

/** A class with how probable it is held to be, from 0 to 1. */
export interface ClassShare {
  readonly label: number;
  readonly share: number;
}

/** An image on which the student differs. */
export interface Difference {
  /** Its number in its set. */
  readonly image: number;
  /** The likeliest classes by the teacher, or the label, the likeliest first. */
  readonly expected: readonly ClassShare[];
  /** The likeliest classes by the student, the likeliest first. */
  readonly student: readonly ClassShare[];
  /** Kullback-Leibler divergence of the student's probabilities, in nats. */
  readonly divergence: number;
}

/** How the student that is kept differs, on images that it was not trained on, from what is expected of it. */
export interface Comparison {
  readonly on: "holdout" | "test";
  /** What is expected: what the teacher said, or the images' labels, where the teacher was not asked. */
  readonly against: "teacher" | "labels";
  /** The round of the student. */
  readonly round: number;
  /** Images that are compared. */
  readonly images: number;
  /** How many images of one class the student gives another, or the same; pairs of classes without images are left out. */
  readonly confusion: readonly { readonly expected: number; readonly student: number; readonly images: number }[];
  /** The images on which they differ most, the most first. */
  readonly differing: readonly Difference[];
}

/** Images of {@link Comparison.differing}. */
const DIFFERING = 24;
/** Classes that are told of each. */
const LIKELIEST = 3;

/** Images that can be compared. */
export interface Compared {
  /** Numbers of the images in their set. */
  readonly numbers: ArrayLike<number>;
  /** Probabilities of the classes, an image each; nothing for those that have no answer, which are left out. */
  readonly expected: readonly (Float32Array | undefined)[];
  /** What the student says of the same images. */
  readonly predicted: Prediction;
}

/**
 * Compares what is expected of images with what the student says.
 * @param about what the images and the expectations are
 */
export function compare(
  { numbers, expected, predicted: { labels, probabilities } }: Compared,
  about: Pick<Comparison, "on" | "against" | "round">,
): Comparison {
  const counts = new Map<string, number>();
  const all: { image: number; divergence: number }[] = [];
  const ofStudent = (image: number, classes: number) => probabilities.subarray(image * classes, (image + 1) * classes);
  for (const [image, answer] of expected.entries()) {
    if (!answer) continue;
    const pair = `${largest(answer, answer.length)[0]} ${labels[image]}`;
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
    all.push({ image, divergence: divergence(answer, ofStudent(image, answer.length)) });
  }
  const confusion = Array.from(counts, ([pair, images]) => {
    const [expected, student] = pair.split(" ").map(Number);
    return { expected, student, images };
  }).sort((a, b) => a.expected - b.expected || a.student - b.student);
  const differing = all
    .filter(({ divergence }) => Number.isFinite(divergence))
    .sort((a, b) => b.divergence - a.divergence || a.image - b.image)
    .slice(0, DIFFERING)
    .map(({ image, divergence }) => {
      const answer = expected[image]!;
      const student = likeliest(ofStudent(image, answer.length));
      return { image: numbers[image], expected: likeliest(answer), student, divergence };
    });
  return { ...about, images: all.length, confusion, differing };
}

/**
 * The likeliest classes of probabilities, the likeliest first; those of probability 0 are left out.
 * @param most classes; 3 where absent
 */
export function likeliest(probabilities: ArrayLike<number>, most = LIKELIEST): ClassShare[] {
  return Array.from(probabilities, (share, label) => ({ label, share }))
    .filter(({ share }) => share > 0)
    .sort((a, b) => b.share - a.share || a.label - b.label)
    .slice(0, most);
}
