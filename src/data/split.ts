import { InputError } from "../errors.js";

/** The parts that a data set may have. */
export type Split = "train" | "test";

/** Whether `word` names a split. */
export function isSplit(word: string): word is Split {
  return word === "train" || word === "test";
}

/**
 * The split to read: the one asked for, or else train where `held` has it, or else test.
 * @throws InputError if the one asked for is not held
 */
export function chooseSplit(path: string, held: Split[], asked: Split | undefined): Split {
  if (asked === undefined) return held.includes("train") ? "train" : "test";
  if (held.includes(asked)) return asked;
  const found = held.length > 0 ? `only a ${held.join(" and a ")} split` : "no splits";
  throw new InputError(
    `${path}: holds ${found}, but ${path}:${asked} asks for ${asked}; add its files or name ${held.length > 0 ? `${path}:${held[0]}` : `${path} alone`}`,
  );
}
