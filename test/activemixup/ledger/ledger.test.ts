import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { InputError } from "../../../src/errors.js";
import {
  Ledger,
  MemoryStore,
  queryIdentity,
  type LedgerOptions,
  type Missing,
} from "../../../src/activemixup/index.js";
import { backoff } from "../../../src/activemixup/ledger/pacer.js";
import { AnswerFault, answerTo, images, ScriptedTeacher, SHAPE, type Mishap } from "./scripted-teacher.js";

const options: LedgerOptions = { run: "run", budget: 1000, countFailed: true };

/** Fails by a list: the attempts that come after it go well. */
const list =
  (...mishaps: (Mishap | undefined)[]) =>
  (attempt: number) =>
    mishaps[attempt - 1];
const fault = (charged: boolean, retryAfter?: number): Mishap => ({
  kind: "fault",
  charged,
  ...(retryAfter === undefined ? {} : { retryAfter }),
});

function expectAnswers(answers: readonly (Float32Array | Missing)[], from = 0): void {
  const { pixels } = images(answers.length, from);
  for (const [index, answer] of answers.entries()) {
    expect(answer).toEqual(answerTo(pixels.subarray(2 * index, 2 * index + 2)));
  }
}

describe("Ledger", () => {
  it("asks in requests of the teacher's size, never more at a time than it likes", async () => {
    const teacher = new ScriptedTeacher({ batch: 4, concurrency: 3 });
    const ledger = new Ledger(teacher, new MemoryStore(teacher.name), options);
    expectAnswers(await ledger.query(images(30)));
    expect(teacher.attempts.map(({ count }) => count)).toEqual([4, 4, 4, 4, 4, 4, 4, 2]);
    expect(teacher.mostUnderWay).toBe(3);
    expect(ledger.spent).toBe(30);
  });

  it("keeps what was answered, whatever the teacher does with its memory afterwards", async () => {
    const memory = new Float32Array(4 * 3);
    const teacher = new ScriptedTeacher();
    const reusing = Object.assign(Object.create(teacher) as ScriptedTeacher, {
      async query(...args: Parameters<ScriptedTeacher["query"]>) {
        const answers = await teacher.query(...args);
        memory.fill(0);
        return answers.map((answer, image) => {
          const place = memory.subarray(3 * image, 3 * image + 3);
          place.set(answer as Float32Array);
          return place;
        });
      },
    });
    expectAnswers(await new Ledger(reusing, new MemoryStore("scripted"), options).query(images(10)));
  });

  it("goes on with a service that refuses for nothing while it answers others, and gives up where it answers none", async () => {
    // One request in three is answered, in turn.
    const limited = new ScriptedTeacher({ batch: 1, concurrency: 3, attempts: 2 }, (attempt) =>
      attempt % 3 === 0 ? undefined : fault(false),
    );
    const ledger = new Ledger(limited, new MemoryStore(limited.name), options);
    expectAnswers(await ledger.query(images(30)));
    expect(ledger.spent).toBe(30);

    const closed = new ScriptedTeacher({ attempts: 2 }, () => fault(false));
    const asking = new Ledger(closed, new MemoryStore(closed.name), options).query(images(1));
    await expect(asking).rejects.toThrow("in 2 attempts: out of order; mend the teacher, then go on from what is kept");
    expect(closed.asked).toBe(2);
  });

  it("does not wait for days", async () => {
    const teacher = new ScriptedTeacher({}, list(fault(false, 86_401)));
    const asking = new Ledger(teacher, new MemoryStore(teacher.name), options).query(images(1));
    await expect(asking).rejects.toThrow(
      "the teacher scripted failed (out of order) and wants to be asked again in 86401 s; go on then from what is kept",
    );
    expect(teacher.asked).toBe(1);
  });

  it("never asks twice about the same pixels, in one call, in a later one, or in another run", async () => {
    const teacher = new ScriptedTeacher();
    const store = new MemoryStore(teacher.name);
    const ledger = new Ledger(teacher, store, options);
    const { pixels } = images(3);
    const twice = { ...SHAPE, count: 6, pixels: Uint8Array.from([...pixels, ...pixels]) };
    const answers = await ledger.query(twice);
    expectAnswers(answers.slice(0, 3));
    expect(answers.slice(3)).toEqual(answers.slice(0, 3));
    await ledger.query(images(5));
    const other = new Ledger(teacher, store, { ...options, run: "other" });
    expectAnswers(await other.query(images(6)));
    expect(teacher.asked).toBe(6);
    expect([ledger.spent, other.spent]).toEqual([5, 1]);
  });

  it("tells queries apart by pixels, shape and teacher", async () => {
    const pixels = Uint8Array.of(1, 2);
    const all = await Promise.all([
      queryIdentity("a", SHAPE, pixels),
      queryIdentity("b", SHAPE, pixels),
      queryIdentity("a", { ...SHAPE, height: 2, width: 1 }, pixels),
      queryIdentity("a", SHAPE, Uint8Array.of(2, 1)),
    ]);
    expect(new Set(all).size).toBe(4);
    expect(await queryIdentity("a", SHAPE, pixels)).toBe(all[0]);
    expect(all[0]).toMatch(/^[0-9a-f]{64}$/);
  });

  it("repeats attempts that failed, and counts those that may have been charged for", async () => {
    const teacher = new ScriptedTeacher({}, list(fault(true), fault(false), undefined, { kind: "short" }));
    const store = new MemoryStore(teacher.name);
    const ledger = new Ledger(teacher, store, options);
    expectAnswers(await ledger.query(images(8)));
    expect(ledger.account).toMatchObject({ answered: 8, failed: 8, lost: 0, spent: 16 });
    expect(store.spending("run")).toEqual({ answered: 8, failed: 8, open: 0 });
    const free = new Ledger(new ScriptedTeacher({}, list(fault(true))), new MemoryStore(""), {
      ...options,
      countFailed: false,
    });
    await free.query(images(4));
    expect(free.account).toMatchObject({ answered: 4, failed: 4, spent: 4 });
  });

  it.each([
    ["a fault", new AnswerFault("no such class"), "no such class"],
    ["a wrong length", Float32Array.of(0.5, 0.5), "2 probabilities; expected 3, one a class"],
    ["NaN", Float32Array.of(NaN, 0.5, 0.5), "the probability of class 0 is NaN; expected 0 or more"],
    ["a negative", Float32Array.of(1.5, -0.5, 0), "the probability of class 1 is -0.5; expected 0 or more"],
    ["a wrong sum", Float32Array.of(0.5, 0.5, 0.5), "the probabilities sum to 1.5; expected 1, within 0.001"],
  ])("keeps the good answers of a request with %s, and asks again about the other alone", async (_, answer, why) => {
    const teacher = new ScriptedTeacher({}, list({ kind: "bad", image: 2, answer }));
    const ledger = new Ledger(teacher, new MemoryStore(teacher.name), options);
    expectAnswers(await ledger.query(images(4)));
    expect(teacher.attempts.map(({ count }) => count)).toEqual([4, 1]);
    expect(ledger.account).toMatchObject({ answered: 4, failed: 1, spent: 5 });

    const always = new ScriptedTeacher({ attempts: 2 }, () => ({ kind: "bad", image: 0, answer }));
    const id = await queryIdentity(always.name, SHAPE, images(1).pixels);
    const failing = new Ledger(always, new MemoryStore(always.name), options).query(images(1));
    await expect(failing).rejects.toThrow(
      `the teacher scripted gave no answer to query ${id} in 2 attempts: ${why}; ` +
        `mend the teacher, or leave such images out (--skip-unanswered), then go on from what is kept (distill --resume)`,
    );
  });

  it("gives up on images that are never answered rightly where told to, for good, and on no others", async () => {
    // The second image of every request is spoilt: by then the one that was left over is alone.
    const spoilt = Uint8Array.of(0, 1);
    const teacher = new ScriptedTeacher({ attempts: 3 });
    const query = teacher.query.bind(teacher);
    teacher.query = async (batch, signal) => {
      const answers = await query(batch, signal);
      return answers.map((answer, index) =>
        batch.pixels[2 * index + 1] === spoilt[1] ? new AnswerFault("not for me") : answer,
      );
    };
    const store = new MemoryStore(teacher.name);
    const notices: string[] = [];
    const skipping = { ...options, skipUnanswered: true, onNotice: (message: string) => notices.push(message) };
    const ledger = new Ledger(teacher, store, skipping);
    const answers = await ledger.query(images(4));
    expect(answers[1]).toBe("skipped");
    expectAnswers([answers[0]]);
    expect(ledger.account).toMatchObject({ answered: 3, failed: 3, spent: 6 });
    const id = await queryIdentity(teacher.name, SHAPE, spoilt);
    expect(notices).toEqual([
      `the teacher never answered 1 of the images (query ${id}: not for me); they are left out`,
    ]);
    // Not in this run, also after it was killed; another run may try again, and one that does not skip ends.
    expect((await new Ledger(teacher, store, skipping).query(images(4)))[1]).toBe("skipped");
    expect(teacher.asked).toBe(6);
    const other = new Ledger(teacher, store, { ...options, run: "other" });
    await expect(other.query(images(4))).rejects.toThrow("gave no answer to query");
    // One of the attempts that came to nothing may have been the teacher's absence.
    const bad: Mishap = { kind: "bad", image: 0, answer: new AnswerFault("not for me") };
    const away = new ScriptedTeacher({ attempts: 3 }, list(bad, bad, fault(true)), "away");
    expect(await new Ledger(away, new MemoryStore(away.name), skipping).query(images(1))).toEqual(["skipped"]);
    // … but not most of them: the image may well be answered when the teacher is back.
    const gone = new ScriptedTeacher({ attempts: 3 }, list(bad, fault(true), fault(true)), "gone");
    await expect(new Ledger(gone, new MemoryStore(gone.name), skipping).query(images(1))).rejects.toThrow(
      "gave no answer to query",
    );
    // A teacher that is not there is no reason to leave an image out.
    const down = new ScriptedTeacher({ attempts: 2 }, () => fault(true), "down");
    await expect(new Ledger(down, new MemoryStore(down.name), skipping).query(images(2))).rejects.toThrow(
      "gave no answer to query",
    );
  });

  it("gives up on none that the budget did not cover to the last attempt", async () => {
    const teacher = new ScriptedTeacher({ batch: 4, attempts: 2 });
    const query = teacher.query.bind(teacher);
    teacher.query = async (batch, signal) => (await query(batch, signal)).map(() => new AnswerFault("not for me"));
    const store = new MemoryStore(teacher.name);
    const ledger = new Ledger(teacher, store, { ...options, budget: 6, skipUnanswered: true });
    expect(await ledger.query(images(4))).toEqual(["skipped", "skipped", "budget", "budget"]);
    expect(teacher.attempts.map(({ count }) => count)).toEqual([4, 2]);
  });

  it("never spends more than the budget, and answers as many as it covers", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.option(fc.boolean(), { nil: undefined }), { maxLength: 12 }),
        fc.boolean(),
        async (budget, count, concurrency, faults, countFailed) => {
          const script = list(...faults.map((charged) => (charged === undefined ? undefined : fault(charged))));
          const teacher = new ScriptedTeacher({ concurrency, attempts: 20, backoffSeconds: 0 }, script);
          const store = new MemoryStore(teacher.name);
          const ledger = new Ledger(teacher, store, { ...options, budget, countFailed });
          const answers = await ledger.query(images(count));
          const { answered, failed, open } = store.spending("run");
          expect(open).toBe(0);
          expect(answers.filter((answer) => typeof answer !== "string")).toHaveLength(answered);
          expect(ledger.spent).toBe(answered + (countFailed ? failed : 0));
          expect(ledger.spent).toBeLessThanOrEqual(budget);
          // Where answers are missing, the budget is used up.
          if (answered < count) expect(ledger.spent).toBe(budget);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("counts what was under way when the run was killed", async () => {
    const teacher = new ScriptedTeacher();
    const store = new MemoryStore(teacher.name);
    await store.append([{ kind: "ask", ask: store.nextAsk(), run: "run", count: 4 }]);
    const ledger = new Ledger(teacher, store, { ...options, budget: 10 });
    expect(ledger.account).toMatchObject({ lost: 4, spent: 4 });
    const answers = await ledger.query(images(8));
    expect(answers.filter((answer) => typeof answer !== "string")).toHaveLength(6);
    expect(ledger.account).toMatchObject({ lost: 4, answered: 6, spent: 10 });
    expect(new Ledger(teacher, store, { ...options, countFailed: false }).spent).toBe(6);
    expect(new Ledger(new ScriptedTeacher({ charges: false }), store, options).spent).toBe(6);
  });

  it("counts what failed before the run was killed", async () => {
    const store = new MemoryStore("scripted");
    const ask = store.nextAsk();
    await store.append([
      { kind: "ask", ask, run: "run", count: 4 },
      { kind: "outcome", ask, answers: [], failed: 3 },
    ]);
    const ledger = new Ledger(new ScriptedTeacher(), store, { ...options, budget: 10 });
    expect(ledger.account).toMatchObject({ failed: 3, lost: 0, answered: 0, spent: 3 });
  });

  it("makes an attempt durable before it is sent, and answers before they are used", async () => {
    const teacher = new ScriptedTeacher();
    const store = new MemoryStore(teacher.name);
    const order: string[] = [];
    const append = store.append.bind(store);
    store.append = async (events) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await append(events);
      order.push(events[0].kind);
    };
    const query = teacher.query.bind(teacher);
    teacher.query = (...args) => {
      order.push("sent");
      return query(...args);
    };
    await new Ledger(teacher, store, options).query(images(4));
    order.push("used");
    expect(order).toEqual(["ask", "sent", "outcome", "used"]);
  });

  it("stops at an error that is no fault, keeps what other requests bring, and asks no more", async () => {
    const refused: Mishap = { kind: "error", error: new InputError("401: no such account") };
    const teacher = new ScriptedTeacher({ concurrency: 2 }, list(undefined, refused));
    const store = new MemoryStore(teacher.name);
    const ledger = new Ledger(teacher, store, options);
    await expect(ledger.query(images(40))).rejects.toThrow("401: no such account");
    expect(teacher.attempts.length).toBeLessThanOrEqual(3);
    expect(store.spending("run").answered).toBeGreaterThanOrEqual(4);
    expect(store.spending("run")).toMatchObject({ failed: 4, open: 0 });
  });

  it("repeats nothing, and waits for nothing, once another request has ended for good", async () => {
    const refused: Mishap = { kind: "error", error: new InputError("401: no such account") };
    const teacher = new ScriptedTeacher({ concurrency: 2 }, list(refused, fault(true, 3600)));
    const ledger = new Ledger(teacher, new MemoryStore(teacher.name), options);
    await expect(ledger.query(images(40))).rejects.toThrow("401: no such account");
    expect(teacher.attempts.length).toBe(2);
    expect(ledger.account).toMatchObject({ answered: 0, failed: 8 });
  });

  it("waits for an answer as long as a timer can where the teacher's time is longer", async () => {
    const teacher = new ScriptedTeacher({ timeoutSeconds: 1e9, attempts: 1 });
    const ledger = new Ledger(teacher, new MemoryStore(teacher.name), options);
    expectAnswers(await ledger.query(images(40)));
    expect(ledger.account.failed).toBe(0);
  });

  it("gives a request up after its time, and waits as long as the teacher asks", async () => {
    const teacher = new ScriptedTeacher({ timeoutSeconds: 0.05 }, list({ kind: "hang" }, fault(false, 0.2)));
    const notices: string[] = [];
    const ledger = new Ledger(teacher, new MemoryStore(teacher.name), {
      ...options,
      onNotice: (message) => notices.push(message),
    });
    const start = performance.now();
    expectAnswers(await ledger.query(images(4)));
    expect(performance.now() - start).toBeGreaterThanOrEqual(249);
    expect(ledger.account).toMatchObject({ answered: 4, failed: 4 });
    expect(notices).toEqual([]); // waits shorter than a second are not worth a line
  });

  it("keeps to a number of requests a second", async () => {
    const teacher = new ScriptedTeacher({ batch: 1, concurrency: 8, requestsPerSecond: 100 });
    const start = performance.now();
    await new Ledger(teacher, new MemoryStore(teacher.name), options).query(images(16));
    expect(performance.now() - start).toBeGreaterThanOrEqual(149);
  });

  it("lets no request begin while the teacher asks to wait, whichever request it told so", async () => {
    const starts: number[] = [];
    const teacher = new ScriptedTeacher({ batch: 1, concurrency: 4 }, (attempt) => {
      starts.push(performance.now());
      return attempt === 1 ? fault(false, 0.3) : undefined;
    });
    const store = new MemoryStore(teacher.name);
    const append = store.append.bind(store);
    // The outcome of the request that was told so: the pause begins before anything else can.
    let told: number | undefined;
    store.append = async (events) => {
      await append(events);
      if (told === undefined && events.some((event) => event.kind === "outcome" && event.why !== undefined)) {
        told = starts.length;
      }
    };
    expectAnswers(await new Ledger(teacher, store, options).query(images(40)));
    expect(told).toBeLessThan(10);
    // The three others may have taken their turn already.
    const later = starts.slice(told! + 3);
    expect(later.length).toBeGreaterThan(20);
    expect(later[0] - starts[0]).toBeGreaterThanOrEqual(299);
  });

  it("doubles the wait between attempts, up to a minute", () => {
    const random = vi.spyOn(Math, "random").mockReturnValue(1);
    const waits = [1, 2, 3, 4, 7, 8, 40].map((failed) => backoff(1, failed));
    const half = backoff(0.5, 2);
    random.mockReturnValue(0.25);
    const quarter = backoff(1, 3);
    random.mockRestore();
    expect([waits, half, quarter]).toEqual([[1, 2, 4, 8, 60, 60, 60], 1, 1]);
  });

  it("gives a request that is paid for some seconds to end when it is told to stop, and no more", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const interrupt = new AbortController();
      const reason = new Error("enough");
      const teacher = new ScriptedTeacher({ charges: true, timeoutSeconds: 300 }, () => ({ kind: "hang" }));
      const store = new MemoryStore(teacher.name);
      let ended: unknown;
      const asking = new Ledger(teacher, store, options).query(images(4), interrupt).catch((error: unknown) => {
        ended = error;
      });
      while (teacher.attempts.length === 0) await new Promise(setImmediate);
      interrupt.abort(reason);
      await vi.advanceTimersByTimeAsync(4900);
      expect(ended).toBeUndefined();
      await vi.advanceTimersByTimeAsync(200);
      await asking;
      expect(ended).toBe(reason);
      expect(store.spending("run")).toEqual({ answered: 0, failed: 4, open: 0 });
    } finally {
      vi.useRealTimers();
    }
  });

  it("ends soon when it is told to just before a request is sent", async () => {
    const interrupt = new AbortController();
    const reason = new Error("enough");
    const teacher = new ScriptedTeacher({ charges: false }, () => ({ kind: "hang" }));
    const store = new MemoryStore(teacher.name);
    const append = store.append.bind(store);
    store.append = async (events) => {
      await append(events);
      interrupt.abort(reason);
    };
    const start = performance.now();
    await expect(new Ledger(teacher, store, options).query(images(4), interrupt)).rejects.toBe(reason);
    expect(performance.now() - start).toBeLessThan(5000);
    expect(store.spending("run").open).toBe(0);
  }, 10_000);

  it("ends when it is told to, and keeps the answers of requests that are under way", async () => {
    const interrupt = new AbortController();
    const reason = new Error("enough");
    const teacher = new ScriptedTeacher({ concurrency: 2 }, (attempt) => {
      if (attempt === 3) interrupt.abort(reason);
      return undefined;
    });
    const store = new MemoryStore(teacher.name);
    const ledger = new Ledger(teacher, store, options);
    await expect(ledger.query(images(400), { signal: interrupt.signal })).rejects.toBe(reason);
    expect(store.spending("run")).toEqual({ answered: teacher.asked, failed: 0, open: 0 });
    expect(teacher.asked).toBeLessThan(40);
  });
});
