/** One thing that happened between a run and a teacher. What a ledger holds is a list of these. */
export type LedgerEvent = AskEvent | OutcomeEvent | SkipEvent;

/** A request is about to be sent: durable before it is. */
export interface AskEvent {
  readonly kind: "ask";
  /** Number of the request, unique in the ledger. */
  readonly ask: number;
  /** The run that asks. */
  readonly run: string;
  /** Images in the request. */
  readonly count: number;
}

/** What became of a request. A request without one was under way when its run was killed. */
export interface OutcomeEvent {
  readonly kind: "outcome";
  readonly ask: number;
  readonly answers: readonly KeptAnswer[];
  /** Images that the teacher may have charged for without an answer that can be used. */
  readonly failed: number;
  /** Why some have no answer. */
  readonly why?: string | undefined;
}

/** A run has given up on a query that the teacher never answered rightly: it does not ask about it again. */
export interface SkipEvent {
  readonly kind: "skip";
  readonly run: string;
  /** {@link queryIdentity} */
  readonly query: string;
  /** What was wrong with the last answer. */
  readonly why: string;
}

/** An answer to one image, as a ledger keeps it. */
export interface KeptAnswer {
  /** {@link queryIdentity} */
  readonly query: string;
  /** One a class. */
  readonly probabilities: Float32Array;
}

/** What a run has asked of a teacher, in images. */
export interface Spending {
  /** Answered, with answers that were kept. */
  readonly answered: number;
  /** Failed, and may have been charged for. */
  readonly failed: number;
  /** Asked without an outcome: under way now, or when the run was killed. */
  readonly open: number;
}

/** Where the answers of one teacher are kept. */
export interface LedgerStore {
  /** The teacher's name. */
  readonly teacher: string;
  /** Number for the next request. */
  nextAsk(): number;
  /** The kept answer to a query. */
  find(query: string): Float32Array | undefined;
  /** Whether a run has given up on a query. */
  isSkipped(run: string, query: string): boolean;
  spending(run: string): Spending;
  /** Keeps events, in order: they are durable once this resolves. */
  append(events: readonly LedgerEvent[]): Promise<void>;
  close(): Promise<void>;
}

/** What the events of a ledger come to. */
export class LedgerState {
  private readonly answers = new Map<string, Float32Array>();
  private readonly asks = new Map<number, AskEvent>();
  private readonly runs = new Map<string, { answered: number; failed: number; open: number }>();
  private readonly skips = new Map<string, Set<string>>();
  private highest = 0;

  /**
   * What is wrong with an event, if it cannot follow those before it: a request's number twice, an outcome of a request
   * that is not open, or a second answer to a query.
   */
  fault(event: LedgerEvent): string | undefined {
    if (event.kind === "skip") return undefined;
    if (event.kind === "ask") {
      return event.ask > this.highest ? undefined : `request ${event.ask} comes after request ${this.highest}`;
    }
    const ask = this.asks.get(event.ask);
    if (!ask) return `an outcome of request ${event.ask}, which is not open`;
    if (event.answers.length + event.failed > ask.count) {
      return `request ${event.ask} was about ${ask.count} images and has more outcomes`;
    }
    const queries = new Set<string>();
    for (const { query } of event.answers) {
      if (this.answers.has(query) || queries.has(query)) return `query ${query} has two answers`;
      queries.add(query);
    }
    return undefined;
  }

  /**
   * Takes an event in.
   * @throws Error where it has a {@link fault}; nothing is taken in then
   */
  apply(event: LedgerEvent): void {
    const fault = this.fault(event);
    if (fault !== undefined) throw new Error(fault);
    if (event.kind === "skip") {
      this.skips.set(event.run, (this.skips.get(event.run) ?? new Set()).add(event.query));
      return;
    }
    if (event.kind === "ask") {
      this.highest = event.ask;
      this.asks.set(event.ask, event);
      this.run(event.run).open += event.count;
      return;
    }
    const ask = this.asks.get(event.ask)!;
    this.asks.delete(event.ask);
    const run = this.run(ask.run);
    run.open -= ask.count;
    run.answered += event.answers.length;
    run.failed += event.failed;
    for (const { query, probabilities } of event.answers) this.answers.set(query, probabilities);
  }

  /** Requests without an outcome, by their numbers. */
  get open(): ReadonlyMap<number, AskEvent> {
    return this.asks;
  }

  /** Answers by query, in the order in which they came. */
  get known(): ReadonlyMap<string, Float32Array> {
    return this.answers;
  }

  /** Runs that have asked, with what they spent. */
  get spent(): ReadonlyMap<string, Spending> {
    return this.runs;
  }

  /** Queries that a run has given up on. */
  skipped(run: string): ReadonlySet<string> {
    return this.skips.get(run) ?? new Set();
  }

  /** Highest number of a request. */
  get lastAsk(): number {
    return this.highest;
  }

  spending(run: string): Spending {
    return { ...(this.runs.get(run) ?? { answered: 0, failed: 0, open: 0 }) };
  }

  private run(name: string): { answered: number; failed: number; open: number } {
    let run = this.runs.get(name);
    if (!run) this.runs.set(name, (run = { answered: 0, failed: 0, open: 0 }));
    return run;
  }
}

/** Keeps answers for as long as the process lives: for runs that need no file, and for browsers. */
export class MemoryStore implements LedgerStore {
  private readonly state = new LedgerState();
  private asked = 0;

  constructor(readonly teacher: string) {}

  nextAsk(): number {
    return (this.asked = Math.max(this.asked, this.state.lastAsk) + 1);
  }

  find(query: string): Float32Array | undefined {
    return this.state.known.get(query);
  }

  isSkipped(run: string, query: string): boolean {
    return this.state.skipped(run).has(query);
  }

  spending(run: string): Spending {
    return this.state.spending(run);
  }

  append(events: readonly LedgerEvent[]): Promise<void> {
    for (const event of events) this.state.apply(event);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
