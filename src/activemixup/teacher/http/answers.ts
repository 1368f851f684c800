/** Finds the answers to a request in the JSON that came back. */
import { compile, TreeInterpreter, type JSONValue } from "@jmespath-community/jmespath";
import { InputError } from "../../../errors.js";
import { readAnswer, type AnswerReading, type RawAnswer } from "../answer-form.js";
import { oneLine } from "../secrets.js";
import type { AnswerSettings } from "../settings.js";
import { AnswerFault, TeacherFault, type Answer } from "../teacher.js";

export interface AnswerReader {
  /** Whether an answer can be about several images. */
  readonly several: boolean;
  /**
   * One answer an image, in the order of `ids`. Whatever stands in `json`, nothing but a TeacherFault is thrown.
   * @throws TeacherFault where it cannot be told what is about which image
   */
  read(json: unknown, ids: readonly string[]): Answer[];
}

/** Looks something up in JSON. @throws Error where what is found there is not of the kind that the path expects */
type Look = (json: unknown) => unknown;

/**
 * Compiles the paths of a settings file.
 * @param where names the settings in errors: `teacher.json: answer`
 * @throws InputError where one is no JMESPath
 */
export function compileAnswers(settings: AnswerSettings, reading: AnswerReading, where: string): AnswerReader {
  const path = (name: "items" | "scores" | "labels" | "id" | "error"): Look | undefined => {
    const expression = settings[name];
    if (expression === undefined) return undefined;
    try {
      const tree = compile(expression);
      return (json) => TreeInterpreter.search(tree, json as JSONValue);
    } catch (error) {
      throw new InputError(
        `${where}.${name} ${JSON.stringify(expression)} is no JMESPath: ${oneLine((error as Error).message)}; ` +
          `see https://jmespath.site`,
      );
    }
  };
  const [items, scores, labels, id, error] = [path("items"), path("scores"), path("labels"), path("id"), path("error")];
  const { form, classes } = reading;
  const refuse = (name: keyof AnswerSettings, why: string) => {
    throw new InputError(`${where}.${name} ${why}`);
  };
  if (form === "top" && !labels) refuse("form", `is top; tell where an answer's labels are (answer.labels)`);
  if (form === "label" && scores) refuse("scores", "is of no use where the form is label; leave it out");
  if (reading.normalise && (form === "logits" || form === "label")) {
    refuse("normalise", `is of no use where the form is ${form}; leave it out`);
  }
  if (reading.unknownLabels === "ignore" && (!labels || form === "label")) {
    refuse("unknownLabels", `is ignore, which leaves out some labels of several; expected refuse`);
  }

  /** The scores or labels are the item itself where no path says otherwise. */
  const rawOf = (item: unknown): RawAnswer =>
    form === "label"
      ? { labels: labels ? labels(item) : item }
      : { scores: scores ? scores(item) : item, labels: labels?.(item) };

  const answerOf = (item: unknown): Answer => {
    try {
      const why = error?.(item);
      if (why !== undefined && why !== null && why !== "" && why !== false) {
        return new AnswerFault(`the teacher says: ${oneLine(typeof why === "string" ? why : JSON.stringify(why))}`);
      }
      return readAnswer(rawOf(item), reading);
    } catch (error) {
      return new AnswerFault(`nothing where a path of \`answer\` leads (${oneLine((error as Error).message)})`);
    }
  };

  /** A list an image: flat ones, as tensors often come, are cut up. */
  const listOf = (json: unknown, count: number): unknown[] => {
    if (!items) return [json];
    const found = looked(items, json);
    if (!Array.isArray(found)) {
      throw new TeacherFault(`no list of answers at ${JSON.stringify(settings.items)}; expected ${count}`, true);
    }
    const flat = !scores && !labels && !id && form !== "label" && found.every((value) => typeof value === "number");
    if (!flat || found.length !== count * classes) return found;
    return Array.from({ length: count }, (_, at) => found.slice(at * classes, (at + 1) * classes));
  };

  return {
    several: items !== undefined,
    read(json, ids) {
      const list = listOf(json, ids.length);
      if (id) return byId(list, ids, id, answerOf);
      if (list.length !== ids.length) {
        throw new TeacherFault(`${list.length} answers to ${ids.length} images; expected one an image`, true);
      }
      return list.map(answerOf);
    },
  };
}

function looked(look: Look, json: unknown): unknown {
  try {
    return look(json);
  } catch {
    return undefined;
  }
}

/** Answers by the identities that they bear, in any order. Those to images that were not asked about are left out. */
function byId(
  list: readonly unknown[],
  ids: readonly string[],
  idOf: Look,
  answerOf: (item: unknown) => Answer,
): Answer[] {
  const answers = new Map<string, Answer>();
  const asked = new Set(ids);
  let strangers = 0;
  for (const item of list) {
    const found = looked(idOf, item);
    const id = typeof found === "string" ? found : "";
    if (!asked.has(id)) {
      strangers++;
      continue;
    }
    const answer = answerOf(item);
    const earlier = answers.get(id);
    answers.set(
      id,
      earlier === undefined || isSame(earlier, answer) ? answer : new AnswerFault("two different answers"),
    );
  }
  const missing = strangers === 0 ? "no answer" : `no answer; ${strangers} bore identities that were not sent`;
  return ids.map((id) => answers.get(id) ?? new AnswerFault(missing));
}

function isSame(a: Answer, b: Answer): boolean {
  if (a instanceof AnswerFault || b instanceof AnswerFault) return false;
  return a.length === b.length && a.every((value, at) => Object.is(value, b[at]));
}
