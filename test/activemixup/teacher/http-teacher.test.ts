import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import {
  AnswerFault,
  Ledger,
  MemoryStore,
  openHttpTeacher,
  queryIdentity,
  type Answer,
  type HttpTeacherOptions,
  type QueryBatch,
  type Teacher,
  type TeacherSettings,
} from "../../../src/activemixup/index.js";
import {
  allFaults,
  answerTo,
  FaultyServer,
  startFaultyProcess,
  type Fault,
  type FaultyOptions,
} from "./faulty-server.js";

const TOKEN = "planted-token-0123456789";
const shape = { channels: 1, height: 2, width: 3 };
const quick = { attempts: 50, backoffSeconds: 0.005, timeoutSeconds: 0.5 };

const servers: FaultyServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop().catch(() => undefined);
});

async function faulty(options: FaultyOptions = {}): Promise<FaultyServer> {
  const server = await new FaultyServer(options).start();
  servers.push(server);
  return server;
}

const open = (server: { url: string }, settings: TeacherSettings = {}, more: HttpTeacherOptions = {}) =>
  openHttpTeacher(server.url, { settings, file: "teacher.json", environment: { TOKEN }, ...more });

/** Images that all differ. */
function images(count: number, first = 0) {
  const pixels = Uint8Array.from({ length: count * 6 }, (_, at) => {
    const image = first + Math.floor(at / 6);
    return [image & 255, image >> 8, at % 6][at % 3];
  });
  return { ...shape, count, pixels };
}

async function batchOf(teacher: Teacher, count: number): Promise<QueryBatch> {
  const { pixels, ...rest } = images(count);
  const ids = await Promise.all(
    Array.from({ length: count }, (_, at) => queryIdentity(teacher.name, shape, pixels.subarray(6 * at, 6 * at + 6))),
  );
  return { ...rest, pixels, ids };
}

const told = (answers: readonly Answer[]) =>
  answers.map((answer) => (answer instanceof AnswerFault ? answer.message : Array.from(answer)));
const right = (pixels: Uint8Array, at: number) =>
  Array.from(Float32Array.from(answerTo(pixels.subarray(6 * at, 6 * at + 6))));

async function failure(promise: Promise<unknown>): Promise<Error & { charged?: boolean; retryAfter?: number }> {
  const outcome: unknown = await promise.then(
    () => "no error",
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(Error);
  return outcome as Error;
}

describe("an HTTP teacher", () => {
  it("asks for a description, then for answers, over connections that last", async () => {
    const server = await faulty({ image: [1, 2, 3], batch: 20 });
    const teacher = await open(server);
    expect(teacher).toMatchObject({ name: server.url, classes: 10, manner: { batch: 20, concurrency: 4 } });
    const batch = await batchOf(teacher, 3);
    for (let round = 0; round < 5; round++) {
      expect(told(await teacher.query(batch))).toEqual([0, 1, 2].map((at) => right(batch.pixels, at)));
    }
    // The client may begin a request before it has put the connection of the last one back.
    expect(server.connections).toBeLessThanOrEqual(2);
    expect(() => teacher.checkShape({ channels: 3, height: 2, width: 3 })).toThrow(
      `the teacher ${server.url} takes images of 1 × 2 × 3; these are 3 × 2 × 3: give images of the teacher's size`,
    );
  });

  it("asks for its description until there is one, and says when there is none", async () => {
    const server = await faulty({ descriptions: [503, 429, 500, 200, 404, 500, 500] });
    const asking = { ...quick, attempts: 4 };
    expect((await open(server, { asking })).classes).toBe(10);
    await expect(open(server, { asking })).rejects.toThrow(
      `the teacher ${server.url} refuses the request (HTTP 404: not yet); check the address; ` +
        "if it does not describe itself, give classes in --teacher-config",
    );
    await expect(open(server, { asking: { ...asking, attempts: 2 } })).rejects.toThrow(
      `the teacher ${server.url} gives no description (HTTP 500: not yet); check the address, and that it is well; ` +
        "if it does not describe itself, give classes in --teacher-config",
    );
    const odd = await faulty({ classes: 0 });
    await expect(open(odd, { asking })).rejects.toThrow(
      `the teacher ${odd.url} gives no description; expected JSON with the number of its \`classes\``,
    );
    expect((await open(odd, { classes: 10 })).classes).toBe(10);
    const named = await faulty();
    await expect(open(named, { classNames: ["a", "b"] })).rejects.toThrow(
      `the teacher ${named.url} has 10 classes, and classNames of its settings, or --labels, names 2; make the two agree`,
    );
  });

  it("keeps the good answers of a response in which one is spoilt", async () => {
    const faults = ["wrong-length", "nan", "null", "missing", "unknown-id", "contradiction"] as const;
    const server = await faulty({ faults });
    const teacher = await open(server);
    const batch = await batchOf(teacher, 3);
    const messages: unknown[] = [];
    for (const fault of faults) {
      const answers = told(await teacher.query(batch));
      expect(answers.slice(0, 2), fault).toEqual([0, 1].map((at) => right(batch.pixels, at)));
      messages.push(answers[2]);
    }
    expect(messages).toEqual([
      "9 scores; expected 10, one a class",
      'the score of class 0 is "NaN"; expected a number',
      "the score of class 0 is null; expected a number",
      "no answer",
      "no answer; 1 bore identities that were not sent",
      "two different answers",
    ]);
  });

  it("takes answers in any order, and twice", async () => {
    const server = await faulty({ faults: ["reordered", "duplicate"] });
    const teacher = await open(server);
    const batch = await batchOf(teacher, 3);
    for (let round = 0; round < 2; round++) {
      expect(told(await teacher.query(batch))).toEqual([0, 1, 2].map((at) => right(batch.pixels, at)));
    }
  });

  it.each([
    ["429", false, "HTTP 429: no luck with null", 7],
    ["408", true, "HTTP 408: no luck with null", undefined],
    ["500", true, "HTTP 500: no luck with null", undefined],
    ["503", true, "HTTP 503: no luck with null", 0],
    ["drop-before", true, "other side closed", undefined],
    ["drop-middle", true, "the answer was cut off (other side closed)", undefined],
    ["not-json", true, "an answer that is no JSON: <html>hello undefined</html>", undefined],
  ] as const)("takes %s for a fault that may pass", async (fault, charged, message, retryAfter) => {
    const server = await faulty({ faults: [fault], retryAfter: 7 });
    const teacher = await open(server);
    const error = await failure(teacher.query(await batchOf(teacher, 2)));
    expect(error.name).toBe("TeacherFault");
    expect(error.message.replace("undefined", "null")).toBe(message.replace("undefined", "null"));
    expect(error.charged).toBe(charged);
    expect(error.retryAfter).toBe(retryAfter);
  });

  it("is not charged for what was never sent", async () => {
    const server = await faulty();
    const teacher = await open(server);
    const batch = await batchOf(teacher, 1);
    const barred = await openHttpTeacher("http://127.0.0.1:6000/", { settings: { classes: 4 } });
    await expect(barred.query(await batchOf(barred, 1))).rejects.toThrow(
      "the teacher http://127.0.0.1:6000/: port 6000 is one that HTTP clients refuse; serve it at another",
    );
    await expect(openHttpTeacher(server.url.replace("http:", "https:"))).rejects.toThrow(
      "what answers there speaks no TLS; give the address with http://",
    );
    await server.stop();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await failure(teacher.query(batch))).toMatchObject({ name: "TeacherFault", charged: false });
    await expect(open(server)).rejects.toThrow(/does not answer \(connect ECONNREFUSED .*\); start it/);
    await server.start();
    expect(told(await teacher.query(batch))).toEqual([right(batch.pixels, 0)]);
  });

  it("lets go of an answer that does not come", async () => {
    const server = await faulty({ faults: ["slow-loris"] });
    const teacher = await open(server);
    const stop = new AbortController();
    setTimeout(() => {
      stop.abort(new Error("enough"));
    }, 200);
    const error = await failure(teacher.query(await batchOf(teacher, 1), stop.signal));
    expect(error.message).toBe("enough");
    // The client may open another in its place.
    await expect.poll(() => server.connections - server.open).toBe(1);
  });

  it("stops at a redirect without following it", async () => {
    const server = await faulty({ faults: ["redirect"] });
    const teacher = await open(server);
    await expect(teacher.query(await batchOf(teacher, 1))).rejects.toThrow(
      `the teacher ${server.url} has moved to http://elsewhere.test/teacher (HTTP 307); give that address if you trust it`,
    );
  });

  it("stops at a refusal with the server's own message, without secrets", async () => {
    const server = await faulty({ faults: ["refuse", "not-json"], token: TOKEN });
    await expect(open(server)).rejects.toThrow(
      `the teacher ${server.url} refuses the request (HTTP 401: the token undefined is not the right one); ` +
        "give the credentials that it wants (`http.headers`)",
    );
    const teacher = await open(server, { http: { headers: { authorization: "Bearer ${TOKEN}" } } });
    expect(teacher.name).toBe(server.url);
    await expect(teacher.query(await batchOf(teacher, 1))).rejects.toThrow(
      `the teacher ${server.url} refuses the request (HTTP 400: no luck with Bearer ***); mend the settings`,
    );
    const { message } = await failure(teacher.query(await batchOf(teacher, 1)));
    expect(message).toBe("an answer that is no JSON: <html>hello Bearer ***</html>");
  });

  it("has another name where settings bear on the answers, and the same in any order of theirs", async () => {
    const server = await faulty();
    const names = await Promise.all(
      [
        {},
        { asking: { batch: 3 } },
        { http: { headers: { authorization: "${TOKEN}" } } },
        { answer: { form: "logits" } },
        { http: { headers: { "x-version": "2", accept: "a" } } },
        { http: { headers: { accept: "a", "x-version": "2" } } },
        { name: "mine", http: { headers: { accept: "a" } } },
      ].map(async (settings) => (await open(server, settings as TeacherSettings)).name.replace(server.url, "URL")),
    );
    expect(names).toEqual(["URL", "URL", "URL", names[3], names[4], names[4], "mine"]);
    expect(names[3]).toMatch(/^URL \([0-9a-f]{8}\)$/);
    expect(new Set(names).size).toBe(4);
  });
});

describe("an HTTP teacher behind a ledger", () => {
  const notices: string[] = [];
  const ledgerOf = (teacher: Teacher, budget = 1e6, countFailed = true) => {
    const store = new MemoryStore(teacher.name);
    const events: unknown[] = [];
    const append = store.append.bind(store);
    store.append = (added) => {
      events.push(...added);
      return append(added);
    };
    const ledger = new Ledger(teacher, store, {
      ...{ run: "run", budget, countFailed },
      onNotice: (message) => notices.push(message),
    });
    return { ledger, store, events };
  };

  it("gets every answer once through all faults at once, and pays what the server counts", async () => {
    // Each fault for certain, then others at random.
    const server = await faulty({ faults: allFaults, seed: 5, rate: 0.5, token: TOKEN });
    const teacher = await open(server, {
      asking: { ...quick, batch: 8, timeoutSeconds: 0.25 },
      http: { headers: { authorization: "Bearer ${TOKEN}" } },
    });
    const { ledger, events } = ledgerOf(teacher);
    const asked = images(300);
    const answers = await ledger.query(asked);
    for (let at = 0; at < 300; at++)
      expect(Array.from(answers[at] as Float32Array), `image ${at}`).toEqual(right(asked.pixels, at));
    for (const fault of allFaults) expect(server.happened[fault], fault).toBeGreaterThan(0);
    expect(ledger.spent).toBe(server.accepted);
    expect(server.accepted).toBeGreaterThan(300);
    const kept = events.flatMap((event) => (event as { answers?: { query: string }[] }).answers ?? []);
    expect(new Set(kept.map(({ query }) => query)).size).toBe(kept.length);
    expect(kept).toHaveLength(300);
    expect(JSON.stringify([events, notices, teacher.name])).not.toContain(TOKEN);
    expect(JSON.stringify(events)).toContain("Bearer ***");
    // Of four requests at a time, and of four connections that the client has not put back yet.
    expect(server.mostOpen).toBeLessThanOrEqual(8);
    expect(server.connections).toBeLessThan(server.requests);
    await expect.poll(() => server.open).toBeLessThanOrEqual(8);
  });

  it("goes on when the server restarts in the middle", async () => {
    const server = await faulty({ seed: 3, rate: 0.2, latency: 5 });
    const teacher = await open(server, { asking: { ...quick, batch: 4, attempts: 200, backoffSeconds: 0.02 } });
    const { ledger } = ledgerOf(teacher);
    const asked = images(400);
    let restarts = 0;
    const answers = await ledger.query(asked, {
      onProgress: (done) => {
        if (done < 100 * (restarts + 1) || restarts === 3) return;
        restarts++;
        void server.stop().then(() => setTimeout(() => void server.start(), 50));
      },
    });
    expect(restarts).toBe(3);
    for (let at = 0; at < 400; at++) expect(Array.from(answers[at] as Float32Array)).toEqual(right(asked.pixels, at));
    // What the server took without counting, as it was stopped, may have been charged for.
    expect(ledger.spent).toBeGreaterThanOrEqual(server.accepted);
  });

  it("never asks for more than the budget, whatever fails", async () => {
    const server = await faulty({ faults: ["500", "ok", "drop-middle", "429", "null"], seed: 2, rate: 0.6 });
    const teacher = await open(server, { asking: { ...quick, batch: 8, timeoutSeconds: 0.2 } });
    const { ledger } = ledgerOf(teacher, 60);
    const answers = await ledger.query(images(100));
    expect(server.accepted).toBe(60);
    expect(ledger.spent).toBe(60);
    expect(answers.filter((answer) => typeof answer !== "string").length).toBeLessThan(60);
  });

  it("ends with the server's message where asking again is of no use", async () => {
    const server = await faulty({ faults: ["ok", "500", "refuse"] });
    const teacher = await open(server, { asking: { ...quick, concurrency: 1, batch: 2 } });
    const { ledger } = ledgerOf(teacher);
    await expect(ledger.query(images(10))).rejects.toThrow(
      `the teacher ${server.url} refuses the request (HTTP 400: no luck with undefined); mend the settings`,
    );
    expect(server.requests).toBe(3);
    expect(ledger.spent).toBe(6);
  });

  it("reads no answer without end", async () => {
    const closed: Promise<unknown>[] = [];
    const endless = createServer((request, response) => {
      if (request.method === "GET") return response.end('{"classes":10}');
      closed.push(once(response, "close"));
      const more = () => {
        while (!response.destroyed && response.write(" ".repeat(2 ** 20)));
      };
      response.on("drain", more);
      return more();
    });
    await new Promise<void>((resolve) => endless.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(endless.address() as AddressInfo).port}/`;
    try {
      const teacher = await open({ url }, { asking: { ...quick, timeoutSeconds: 60 } });
      const fault = await failure(teacher.query(await batchOf(teacher, 1)));
      expect(fault).toMatchObject({ message: "an answer of more than 67108864 bytes", charged: true });
      await Promise.all(closed);
      expect(closed).toHaveLength(1);
    } finally {
      endless.closeAllConnections();
      endless.close();
    }
  }, 60_000);

  it("works against a process of its own", async () => {
    const { url, stop } = await startFaultyProcess({ faults: ["500", "reordered"] satisfies Fault[] });
    const teacher = await open({ url }, { asking: quick });
    const asked = images(3);
    const answers = await ledgerOf(teacher).ledger.query(asked);
    expect(answers.map((answer) => Array.from(answer as Float32Array))).toEqual(
      [0, 1, 2].map((at) => right(asked.pixels, at)),
    );
    expect(await stop()).toMatchObject({ accepted: 6, answered: 3, happened: { 500: 1, reordered: 1 } });
  });
});
