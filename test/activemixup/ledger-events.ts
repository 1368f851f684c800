import * as fc from "fast-check";
import type { AskEvent, LedgerEvent, OutcomeEvent } from "../../src/activemixup/index.js";

/** What became of a request, before it has a number and its answers have queries. */
interface Shape {
  readonly run: string;
  readonly answers: readonly Float32Array[];
  readonly failed: number;
  readonly free: number;
  readonly why: string | undefined;
  /** Requests asked before this one's outcome comes; beyond the end where it never does. */
  readonly delay: number;
  /** How many events share its line, at most. */
  readonly joined: number;
  /** Why a query of its run is given up, if one is. */
  readonly skip: string | undefined;
}

const bits = fc.integer({ min: 0, max: 0xffffffff });

function shapes(classes: number): fc.Arbitrary<Shape[]> {
  return fc.array(
    fc.record({
      run: fc.constantFrom("first", "second", 'a "run"\nof two lines', "\ud800"),
      answers: fc.array(
        // Any bits, NaN with its payload too: the file keeps them all.
        fc
          .array(bits, { minLength: classes, maxLength: classes })
          .map((words) => new Float32Array(Uint32Array.from(words).buffer)),
        { maxLength: 4 },
      ),
      failed: fc.nat(3),
      free: fc.nat(1),
      why: fc.option(fc.string({ unit: "binary" }), { nil: undefined }),
      delay: fc.nat(4),
      joined: fc.integer({ min: 1, max: 3 }),
      skip: fc.option(fc.string({ unit: "binary" }), { nil: undefined }),
    }),
    { maxLength: 12 },
  );
}

/** Identity of the query `index`. */
export function queryAt(index: number): string {
  return (index * 0x9e3779b1).toString(16).padStart(64, "0");
}

/** Appends, each a list of events, that can follow one another; the outcomes of some requests never come. */
export const appends: fc.Arbitrary<LedgerEvent[][]> = fc.integer({ min: 1, max: 5 }).chain((classes) =>
  shapes(classes).map((list) => {
    let queries = 0;
    let gap = 0;
    const asks = list.map(({ run, answers, failed, free }, index): AskEvent => {
      gap += free;
      return { kind: "ask", ask: index + 1 + gap, run, count: answers.length + failed + free };
    });
    const due: { at: number; outcome: OutcomeEvent }[] = [];
    const result: LedgerEvent[][] = [];
    const add = (event: LedgerEvent, joined: number) => {
      const last = result.at(-1);
      if (last && last.length < joined) last.push(event);
      else result.push([event]);
    };
    for (const [index, { run, answers, failed, why, delay, joined, skip }] of list.entries()) {
      add(asks[index], joined);
      const kept = answers.map((probabilities) => ({ query: queryAt(queries++), probabilities }));
      const outcome = { kind: "outcome" as const, ask: asks[index].ask, answers: kept, failed };
      due.push({ at: index + delay, outcome: why === undefined ? outcome : { ...outcome, why } });
      if (skip !== undefined) add({ kind: "skip", run, query: queryAt(queries++), why: skip }, joined);
      for (const item of due.filter(({ at }) => at === index)) add(item.outcome, joined);
    }
    return result;
  }),
);
