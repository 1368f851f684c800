import type { DistillInput } from "./distill-input.js";
import { Ledger } from "./ledger/ledger.js";
import { Panel } from "./ledger/panel.js";
import { MemoryStore } from "./ledger/store.js";
import type { Teacher } from "./teacher/teacher.js";

/** Who answers a run. */
export interface Panels {
  /** Asked about real images and blends, within the budget. */
  readonly asked: Panel;
  /** Asked about test images, outside it; absent where those are not asked about. */
  readonly forTest: Panel | undefined;
}

/** The teachers of a run, one or several. */
export function teachersOf(teacher: DistillInput["teacher"]): readonly Teacher[] {
  return "query" in teacher ? [teacher] : teacher;
}

/** Whether the teachers are asked about test images: where the user says so, else where none ever charges. */
export function asksTest({ teacher, askTest }: Pick<DistillInput, "teacher" | "askTest">): boolean {
  return askTest ?? teachersOf(teacher).every(({ manner }) => !manner.charges);
}

/** The teachers of a run, each with its ledger. */
export function panelsOf(input: DistillInput): Panels {
  const { stores, run = "", options, observer } = input;
  const teachers = teachersOf(input.teacher);
  const kept = teachers.map(({ name }, index) => stores?.[index] ?? new MemoryStore(name));
  const panel = (name: string, budget: number) =>
    new Panel(
      teachers.map(
        (one, index) =>
          new Ledger(one, kept[index], {
            run: name,
            budget,
            countFailed: options.countFailed,
            skipUnanswered: options.skipUnanswered,
            onNotice: (message) => observer?.onNotice?.(message),
          }),
      ),
    );
  return {
    asked: panel(run, options.budget),
    forTest: asksTest(input) ? panel(`${run} test`, Infinity) : undefined,
  };
}
