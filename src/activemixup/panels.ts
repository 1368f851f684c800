import type { DistillInput } from "./distill-input.js";
import { Ledger } from "./ledger/ledger.js";
import { Panel } from "./ledger/panel.js";
import { MemoryStore } from "./ledger/store.js";

/** Who answers a run. */
export interface Panels {
  /** Asked about real images and blends, within the budget. */
  readonly asked: Panel;
  /** Asked about test images, outside it; absent where those are not asked about. */
  readonly forTest: Panel | undefined;
}

/** The teachers of a run, each with its ledger. */
export function panelsOf({ teacher, stores, run = "", askTest, options, observer }: DistillInput): Panels {
  const teachers = "query" in teacher ? [teacher] : teacher;
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
  const free = teachers.every(({ manner }) => !manner.charges);
  return {
    asked: panel(run, options.budget),
    forTest: (askTest ?? free) ? panel(`${run} test`, Infinity) : undefined,
  };
}
