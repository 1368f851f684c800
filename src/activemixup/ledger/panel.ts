import { InputError } from "../../errors.js";
import type { Teacher } from "../teacher/teacher.js";
import type { Images, Ledger, LedgerQueryOptions, Missing, TeacherAccount } from "./ledger.js";

/**
 * Requires teachers to have names of their own, by which their ledgers are told apart, and the same classes.
 * @throws InputError where they do not
 */
export function checkTeachers([first, ...others]: readonly Teacher[]): void {
  for (const [index, { name, classes, classNames }] of others.entries()) {
    if (name === first.name || others.findIndex((other) => other.name === name) < index) {
      throw new InputError(
        `two teachers are called ${name}, and their ledgers would be one; ask each teacher once, or name them apart in ` +
          `--teacher-config`,
      );
    }
    if (classes !== first.classes) {
      throw new InputError(
        `the teacher ${first.name} has ${first.classes} classes and ${name} ${classes}; their mean needs the same`,
      );
    }
    const at = classNames?.findIndex((own, index) => first.classNames && own !== first.classNames[index]) ?? -1;
    if (at >= 0) {
      throw new InputError(
        `class ${at} is "${first.classNames![at]}" to the teacher ${first.name} and "${classNames![at]}" to ${name}; ` +
          `their mean needs the same classes in the same order`,
      );
    }
  }
}

/** One teacher or several, each with its own ledger and budget: their answer is the mean. */
export class Panel {
  /**
   * @param ledgers one a teacher, at least one
   * @throws InputError where two teachers have one name, or their classes differ in number or names
   */
  constructor(private readonly ledgers: readonly Ledger[]) {
    checkTeachers(ledgers.map(({ teacher }) => teacher));
  }

  get classes(): number {
    return this.ledgers[0].teacher.classes;
  }

  /** What each teacher was asked. */
  get accounts(): TeacherAccount[] {
    return this.ledgers.map((ledger) => ledger.account);
  }

  /**
   * The mean of the teachers' answers, an image each, or why there is none.
   * @throws as {@link Ledger.query} does, once all teachers have come to an end
   */
  async query(images: Images, options: LedgerQueryOptions = {}): Promise<(Float32Array | Missing)[]> {
    const done = this.ledgers.map(() => 0);
    // Where one teacher fails for good, the others are not asked for what cannot be used now.
    const failure = new AbortController();
    const { signal } = options;
    const results = await Promise.allSettled(
      this.ledgers.map((ledger, index) =>
        ledger
          .query(images, {
            signal: signal ? AbortSignal.any([signal, failure.signal]) : failure.signal,
            onProgress: (count) => {
              done[index] = count;
              options.onProgress?.(Math.min(...done));
            },
          })
          .catch((error: unknown) => {
            failure.abort(error);
            throw error;
          }),
      ),
    );
    if (failure.signal.aborted) throw failure.signal.reason;
    const answers = results.map((result) => (result as PromiseFulfilledResult<(Float32Array | Missing)[]>).value);
    return Array.from({ length: images.count }, (_, image) => mean(answers.map((ofTeacher) => ofTeacher[image])));
  }
}

/** Mean of the rows, in f64; none where one is missing. */
function mean(rows: readonly (Float32Array | Missing)[]): Float32Array | Missing {
  if (rows.includes("budget")) return "budget";
  if (rows.includes("skipped")) return "skipped";
  const [first, ...others] = rows as Float32Array[];
  if (others.length === 0) return first;
  return first.map((value, index) => others.reduce((sum, row) => sum + row[index], value) / rows.length);
}
