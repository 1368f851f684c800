import { InputError } from "../../errors.js";
import type { AnswerForm, AnswerReading } from "./answer-form.js";
import type { TeacherSettings } from "./settings.js";
import type { AskingManner } from "./teacher.js";

/** What a teacher says of itself. */
export interface Statement {
  readonly classes?: number | undefined;
  readonly classNames?: readonly string[] | undefined;
  readonly form?: AnswerForm | undefined;
}

/**
 * How to read a teacher's answers, from its settings and what it says of itself.
 * @param usual the form where neither says any
 * @throws InputError where the two differ, neither tells the number of classes, or names are too many or too few
 */
export function answerReading(
  teacher: string,
  stated: Statement,
  settings: TeacherSettings,
  usual: AnswerForm,
): AnswerReading {
  const { answer } = settings;
  const named = stated.classNames?.length;
  if (stated.classes !== undefined && named !== undefined && named !== stated.classes) {
    throw new InputError(`${teacher} states ${stated.classes} classes and names ${named}; make the two agree`);
  }
  const classNames = settings.classNames ?? stated.classNames;
  const classes = stated.classes ?? named ?? settings.classes ?? classNames?.length;
  if (classes === undefined) {
    throw new InputError(`${teacher} does not tell its number of classes; set classes or classNames in its settings`);
  }
  agree(teacher, "classes", classes, settings.classes);
  if (classNames) expectNames(teacher, classes, classNames, stated.classNames);
  agree(teacher, "answer.form", stated.form, answer?.form);
  const form = answer?.form ?? stated.form ?? usual;
  return { form, classes, classNames, normalise: answer?.normalise, unknownLabels: answer?.unknownLabels };
}

/**
 * Requires the user's names of classes to be one a class, and not the teacher's own in another order: the student would
 * call each class by another's name. Other words for them are the user's own.
 * @throws InputError where they are not
 */
export function expectNames(
  teacher: string,
  classes: number,
  classNames: readonly string[],
  own?: readonly string[],
): void {
  if (classNames.length !== classes) {
    throw new InputError(
      `${teacher} has ${classes} classes, and classNames of its settings, or --labels, names ${classNames.length}; ` +
        `make the two agree`,
    );
  }
  const at = own ? own.findIndex((name, index) => name !== classNames[index]) : -1;
  const names = new Set(classNames);
  if (at < 0 || !own!.every((name) => names.has(name))) return;
  throw new InputError(
    `${teacher} calls class ${at} "${own![at]}", and classNames of its settings, or --labels, "${classNames[at]}": its ` +
      `own names in another order; take its order, or leave the names out`,
  );
}

/**
 * A teacher's manner with the user's changes.
 * @param most images that it takes at a time
 * @throws InputError where the user wants larger requests than it takes
 */
export function askingManner(
  teacher: string,
  usual: AskingManner,
  asking: Partial<AskingManner> | undefined,
  most = Infinity,
): AskingManner {
  const changes = Object.fromEntries(Object.entries(asking ?? {}).filter(([, value]) => value !== undefined));
  const manner = { ...usual, batch: Math.min(usual.batch, most), ...changes };
  if (manner.batch > most) {
    throw new InputError(
      `${teacher} takes at most ${most} images at a time; its settings say asking.batch ${manner.batch}: lower that`,
    );
  }
  return manner;
}

/** Settings that tell how an HTTP teacher is asked, and where in its JSON the answers are. */
export const settingsOfHttp = ["http", "answer.items", "answer.scores", "answer.labels", "answer.id", "answer.error"];

/**
 * Refuses settings that would change nothing, since the teacher is of another kind than they are for.
 * @param unheeded names of such settings, with dots
 * @throws InputError that names the first one that is given
 */
export function refuseUnheeded(teacher: string, settings: TeacherSettings, unheeded: readonly string[]): void {
  const at = (inside: unknown, part: string) => (inside as Record<string, unknown> | undefined)?.[part];
  const given = unheeded.find((name) => name.split(".").reduce<unknown>(at, settings) !== undefined);
  if (given === undefined) return;
  throw new InputError(
    `${teacher}: its settings hold ${given}, which says nothing to a teacher of this kind; ` +
      `leave it out, or give each teacher a --teacher-config of its own`,
  );
}

function agree<T>(teacher: string, what: string, stated: T | undefined, set: T | undefined): void {
  if (stated === undefined || set === undefined || stated === set) return;
  throw new InputError(`${teacher} states ${what} ${stated}, its settings ${set}; make the two agree`);
}
