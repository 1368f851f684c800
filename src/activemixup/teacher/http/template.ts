/** The JSON of a request, made from a template in which words such as `$image` stand for what is asked about. */
import { InputError } from "../../../errors.js";

/** What the words of a template stand for, without their `$`. */
export interface Scene {
  readonly image: unknown;
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly count: number;
}

const OF_AN_IMAGE = ["image", "id"] as const;
const OF_A_REQUEST = ["width", "height", "channels", "count"] as const;
const words: readonly string[] = [...OF_AN_IMAGE, ...OF_A_REQUEST];

export interface Template {
  /** Whether an array is repeated, an element an image; else a request is about one image. */
  readonly repeats: boolean;
  /** @param scenes of each image; those of a request have the same size */
  fill(scenes: readonly Scene[]): unknown;
}

/**
 * Compiles a template. An innermost array of one element that holds `$image` is repeated.
 * @param where names the template in errors: `teacher.json: http.template`
 * @throws InputError where `$image` is missing or stands in two places, or a word is unknown
 */
export function compileTemplate(template: unknown, where: string): Template {
  const repeated: unknown[] = [];
  find(template, (array) => repeated.push(array));
  if (repeated.length > 1) {
    throw new InputError(`${where} has $image in ${repeated.length} arrays of one element; expected it in one`);
  }
  const [list] = repeated;
  const inside = list === undefined ? wordsOf(template, where) : wordsOf(list, where);
  const all = wordsOf(template, where);
  const images = all.filter((word) => word === "image").length;
  if (images === 0) throw new InputError(`${where} holds no "$image"; write it where the image goes`);
  for (const word of OF_AN_IMAGE) {
    const outside = all.filter((name) => name === word).length - inside.filter((name) => name === word).length;
    if (outside > 0) {
      throw new InputError(
        `${where} has $${word} outside of the array that is repeated for each image; expected it inside`,
      );
    }
  }
  return { repeats: list !== undefined, fill: (scenes) => fill(template, list, scenes) };
}

/** Reports innermost arrays of one element that hold `$image`, and tells whether there is `$image` at all. */
function find(value: unknown, report: (array: unknown[]) => void): boolean {
  if (value === "$image") return true;
  if (typeof value !== "object" || value === null) return false;
  let reported = false;
  const holds = Object.values(value)
    .map((part) =>
      find(part, (array) => {
        reported = true;
        report(array);
      }),
    )
    .includes(true);
  if (holds && !reported && Array.isArray(value) && value.length === 1) report(value);
  return holds;
}

/** All words of a template, without their `$`. */
function wordsOf(value: unknown, where: string): string[] {
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap((part) => wordsOf(part, where));
  const word = typeof value === "string" ? /^\$(?!\$)(.*)$/s.exec(value)?.[1] : undefined;
  if (word === undefined) return [];
  if (words.includes(word)) return [word];
  throw new InputError(
    `${where} holds ${JSON.stringify(value).slice(0, 40)}; expected one of ${words.map((name) => `$${name}`).join(", ")} ` +
      `(text that starts with a $ is written with two)`,
  );
}

function fill(value: unknown, list: unknown, scenes: readonly Scene[]): unknown {
  if (value === list && Array.isArray(value)) return scenes.map((scene) => fill(value[0], undefined, [scene]));
  if (Array.isArray(value)) return value.map((part) => fill(part, list, scenes));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, fill(part, list, scenes)]));
  }
  if (typeof value !== "string" || !value.startsWith("$")) return value;
  return value.startsWith("$$") ? value.slice(1) : scenes[0][value.slice(1) as keyof Scene];
}
