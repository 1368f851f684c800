import { SUM_TOLERANCE } from "./check-answer.js";
import { AnswerFault, type Answer } from "./answer.js";

/** What a teacher gives for an image; the student is trained on probabilities made of it. */
export type AnswerForm =
  /** One probability a class. */
  | "probabilities"
  /** One number a class, of any size: their softmax is taken. */
  | "logits"
  /** A few classes with scores; what is left of 1 is spread evenly over the other classes. */
  | "top"
  /** One class and nothing else: probability 1. */
  | "label";

/** All of {@link AnswerForm}. */
export const answerForms: readonly AnswerForm[] = ["probabilities", "logits", "top", "label"];

/** Most classes of a teacher. */
export const MOST_CLASSES = 2 ** 20;

/** In words, how answers of a form become the probabilities that a student is trained on. */
export function describeForm(form: AnswerForm): string {
  return {
    probabilities: "probabilities, as they are",
    logits: "logits, of which the softmax is taken",
    top: "the top labels with scores; what is left of 1 is spread evenly over the other classes",
    label: "one label, which gets probability 1",
  }[form];
}

/** What a teacher said of one image, not yet checked. */
export interface RawAnswer {
  /** Of each class; of each of `labels` where those are given. */
  readonly scores?: unknown;
  /** Class numbers or names. */
  readonly labels?: unknown;
}

/** How answers are read. */
export interface AnswerReading {
  readonly form: AnswerForm;
  readonly classes: number;
  /** Maps names in answers to classes. */
  readonly classNames?: readonly string[] | undefined;
  /** Divide scores by their sum: for scores that stand for themselves and sum to more than 1. */
  readonly normalise?: boolean | undefined;
  /** What a class that is none of `classNames` means: the answer is refused, or the label left out. */
  readonly unknownLabels?: "refuse" | "ignore" | undefined;
}

/**
 * The probabilities that an answer comes to, or what is wrong with it. Nothing in `raw` is trusted: anything may stand
 * there, and nothing is thrown. Lists may be arrays or typed arrays.
 */
export function readAnswer(raw: RawAnswer, reading: AnswerReading): Answer {
  try {
    const { classes, form, normalise } = reading;
    if (form === "label") return oneHot(raw.labels, reading);
    const listed = readScores(raw, reading);
    if (form === "logits") return softmax(every(listed, classes));
    const sum = [...listed.values()].reduce((total, score) => total + score, 0);
    if (normalise && !(sum > 0 && Number.isFinite(sum)))
      throw new Wrong(`scores that sum to ${sum}; expected a sum above 0`);
    const divisor = normalise ? sum : 1;
    if (form === "probabilities") return Float32Array.from(every(listed, classes), (score) => score / divisor);
    return spreadRest(listed, divisor, sum, classes);
  } catch (error) {
    if (error instanceof Wrong) return new AnswerFault(error.message);
    throw error;
  }
}

/** What is wrong with an answer; never leaves this file. */
class Wrong extends Error {}

/** Scores by class: of all classes in turn, or of the classes that `labels` names. */
function readScores({ scores, labels }: RawAnswer, reading: AnswerReading): Map<number, number> {
  const { form, classes } = reading;
  const values = list("scores", scores);
  const label = labels === undefined || labels === null ? undefined : list("labels", labels);
  if (!label && form === "top") throw new Wrong(`no labels; expected one a score`);
  if (label && label.length !== values.length) {
    throw new Wrong(`${label.length} labels and ${values.length} scores; expected one score a label`);
  }
  if (!label && values.length !== classes) throw new Wrong(`${values.length} scores; expected ${classes}, one a class`);
  if (values.length === 0) throw new Wrong("no labels; expected at least one");
  const found = new Map<number, number>();
  for (let index = 0; index < values.length; index++) {
    const score = readScore(values[index], label ? `label ${show(label[index])}` : `class ${index}`, reading);
    const at = label ? classOf(label[index], reading) : index;
    if (at === undefined) continue;
    if (found.has(at)) throw new Wrong(`class ${at} twice (${show(label![index])}); expected each class once`);
    found.set(at, score);
  }
  if (found.size === 0)
    throw new Wrong(`no label of a known class, the first is ${show(label![0])}; expected at least one`);
  return found;
}

function readScore(value: unknown, of: string, { form, normalise }: AnswerReading): number {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new Wrong(`the score of ${of} is ${show(value)}; expected a number`);
  }
  if (form === "logits") return value;
  if (value < 0) throw new Wrong(`the score of ${of} is ${value}; expected 0 or more`);
  if (!normalise && value > 1 + SUM_TOLERANCE) {
    throw new Wrong(`the score of ${of} is ${value}; expected at most 1 (\`normalise\` divides scores by their sum)`);
  }
  return value;
}

/** Scores of all classes, in the order of the classes. */
function every(listed: ReadonlyMap<number, number>, classes: number): number[] {
  return Array.from({ length: classes }, (_, at) => {
    const score = listed.get(at);
    if (score === undefined) throw new Wrong(`no score of class ${at}; expected one of each of ${classes} classes`);
    return score;
  });
}

/** In f64, with the largest subtracted. */
function softmax(logits: readonly number[]): Float32Array {
  const largest = logits.reduce((most, value) => Math.max(most, value), -Infinity);
  const powers = logits.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return Float32Array.from(powers, (power) => power / sum);
}

function spreadRest(listed: ReadonlyMap<number, number>, divisor: number, sum: number, classes: number): Float32Array {
  const rest = 1 - sum / divisor;
  if (rest < -SUM_TOLERANCE) {
    throw new Wrong(`scores that sum to ${sum}; expected at most 1 (\`normalise\` divides scores by their sum)`);
  }
  const others = classes - listed.size;
  const share = others > 0 ? Math.max(0, rest) / others : 0;
  return Float32Array.from({ length: classes }, (_, at) => (listed.has(at) ? listed.get(at)! / divisor : share));
}

function oneHot(labels: unknown, reading: AnswerReading): Float32Array {
  const label = isList(labels) ? labels : [labels];
  if (label.length !== 1) throw new Wrong(`${label.length} labels; expected one`);
  const at = classOf(label[0], reading);
  if (at === undefined) throw new Wrong(`the label ${show(label[0])}, of no known class; expected a class`);
  const answer = new Float32Array(reading.classes);
  answer[at] = 1;
  return answer;
}

/** The class that a label means; undefined where labels of no class are to be ignored. */
function classOf(label: unknown, { classes, classNames, unknownLabels }: AnswerReading): number | undefined {
  if (typeof label === "number") {
    if (Number.isInteger(label) && label >= 0 && label < classes) return label;
    throw new Wrong(`the label ${label}; expected a class from 0 to ${classes - 1}`);
  }
  if (typeof label !== "string") throw new Wrong(`the label ${show(label)}; expected a class's number or name`);
  if (!classNames) throw new Wrong(`the label ${show(label)} and no names of classes; give them (\`classNames\`)`);
  const at = numbersOf(classNames).get(label);
  if (at === SEVERAL)
    throw new Wrong(`the label ${show(label)}, the name of several classes; expected a class's number`);
  if (at === undefined && unknownLabels !== "ignore") {
    throw new Wrong(`the label ${show(label)}; expected one of the ${classNames.length} class names`);
  }
  return at;
}

/** In place of a class's number where a name is that of several, as in ImageNet. */
const SEVERAL = -1;

const numbers = new WeakMap<readonly string[], ReadonlyMap<string, number>>();

function numbersOf(classNames: readonly string[]): ReadonlyMap<string, number> {
  const known = numbers.get(classNames);
  if (known) return known;
  const found = new Map<string, number>();
  for (const [at, name] of classNames.entries()) found.set(name, found.has(name) ? SEVERAL : at);
  numbers.set(classNames, found);
  return found;
}

function list(what: string, value: unknown): ArrayLike<unknown> {
  if (isList(value)) return value;
  throw new Wrong(value === undefined || value === null ? `no ${what}` : `${what} are ${show(value)}; expected a list`);
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

/** A found value in at most 40 characters of one line. */
function show(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  const text =
    typeof value === "function" ? "a function" : typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
