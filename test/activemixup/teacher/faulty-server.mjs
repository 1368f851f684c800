// A teacher over HTTP that fails: plain Node, so that it also runs as a process of its own:
//
//     node faulty-server.mjs '{"port":0,"faults":["ok","500","drop-before"],"seed":1,"rate":0.3}'
//
// which writes one line of JSON, {"url":…}, once it listens, and one, {"accepted":…,…}, when it ends (SIGTERM).
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { clearInterval, setInterval, setTimeout } from "node:timers";
import { fileURLToPath } from "node:url";

/** All that can go wrong with a request. */
export const allFaults = [
  ...["latency", "429", "500", "503", "408", "drop-before", "drop-middle", "slow-loris"],
  ...["wrong-length", "nan", "null", "missing", "unknown-id", "duplicate", "contradiction", "reordered", "not-json"],
];

/** Faults at which the server does not look at the images, nor charge for them. */
const FREE = new Set(["429"]);
/** Faults that spoil one image of a request and no other. */
const OF_ONE = new Set(["wrong-length", "nan", "null", "missing", "unknown-id", "contradiction"]);

/** Probabilities of `classes` classes that depend on the pixels alone. */
export function answerTo(pixels, classes = 10) {
  const digest = createHash("sha256").update(pixels).digest();
  const scores = Array.from({ length: classes }, (_, at) => 1 + digest[at % 32]);
  const sum = scores.reduce((total, score) => total + score, 0);
  return scores.map((score) => score / sum);
}

/** Whole numbers that look random and depend on the seed alone (mulberry32). */
function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

export class FaultyServer {
  constructor(options = {}) {
    const { port = 0, classes = 10, image, batch, faults = [], seed, rate = 0.5 } = options;
    this.port = port;
    Object.assign(this, { classes, image, batch, rate });
    this.latency = options.latency ?? 20;
    this.retryAfter = options.retryAfter ?? 0;
    this.token = options.token;
    this.refusal = options.refusal;
    this.schedule = [...faults];
    this.descriptions = [...(options.descriptions ?? [])];
    this.random = seed === undefined ? undefined : randomNumbers(seed);
    /** Images that were looked at, and so would be charged for. */
    this.accepted = 0;
    /** Images whose answers left whole and right. */
    this.answered = 0;
    /** Requests by what was done to them. */
    this.happened = {};
    this.connections = 0;
    this.mostOpen = 0;
    this.requests = 0;
    this.sockets = new Set();
    this.timers = new Set();
  }

  get url() {
    return `http://127.0.0.1:${this.port}/`;
  }

  get open() {
    return this.sockets.size;
  }

  async start() {
    this.server = createServer((request, response) => {
      this.handle(request, response).catch(() => response.destroy());
    });
    this.server.on("connection", (socket) => {
      this.connections++;
      this.sockets.add(socket);
      this.mostOpen = Math.max(this.mostOpen, this.sockets.size);
      socket.on("close", () => this.sockets.delete(socket));
    });
    await new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(this.port, "127.0.0.1", resolve);
    });
    this.port = this.server.address().port;
    return this;
  }

  /** Stops at once, in the middle of whatever is under way; `start()` goes on at the same port. */
  async stop() {
    for (const timer of this.timers) clearInterval(timer);
    this.timers.clear();
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  /** What will be done to the next request: the list in turn, then at random by the seed, then nothing. */
  nextFault() {
    const next = this.schedule.shift();
    if (next !== undefined) return next;
    if (!this.random || this.random() / 2 ** 32 >= this.rate) return "ok";
    return allFaults[this.random() % allFaults.length];
  }

  counts() {
    const { accepted, answered, requests, connections, happened } = this;
    return { accepted, answered, requests, connections, happened };
  }

  async handle(request, response) {
    let text = "";
    for await (const part of request.setEncoding("utf8")) text += part;
    const send = (status, body, headers = {}) => {
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    };
    if (this.token !== undefined && request.headers.authorization !== `Bearer ${this.token}`) {
      return send(401, { error: `the token ${request.headers.authorization} is not the right one` });
    }
    if (request.method === "GET") {
      const status = this.descriptions.shift() ?? 200;
      if (status !== 200) return send(status, { error: "not yet" });
      return send(200, { classes: this.classes, image: this.image, batch: this.batch });
    }
    this.requests++;
    const fault = this.nextFault();
    this.happened[fault] = (this.happened[fault] ?? 0) + 1;
    const { images } = JSON.parse(text);
    if (!FREE.has(fault)) this.accepted += images.length;
    // A server may say anything: this one repeats what it was sent.
    const said = { error: { message: `no luck\nwith ${request.headers.authorization}` } };
    if (fault === "refuse") return send(400, this.refusal ?? said);
    if (fault === "redirect") return send(307, "", { location: "http://elsewhere.test/teacher?token=1" });
    if (fault === "429") return send(429, said, { "retry-after": String(this.retryAfter) });
    if (fault === "503") return send(503, said, { "retry-after": new Date().toUTCString() });
    if (/^\d+$/.test(fault)) return send(Number(fault), said);
    if (fault === "drop-before") return request.socket.destroy();
    if (fault === "latency") await new Promise((resolve) => this.timers.add(setTimeout(resolve, this.latency)));
    if (fault === "not-json") return send(200, `<html>hello ${request.headers.authorization}</html>`);
    this.answered += images.length - (OF_ONE.has(fault) ? 1 : 0);
    const body = JSON.stringify({
      answers: this.spoil(
        images.map((image) => this.answer(image)),
        fault,
      ),
    }).replace('"NaN"', "NaN");
    if (fault === "drop-middle" || fault === "slow-loris") this.answered -= images.length;
    if (fault === "drop-middle") {
      response.writeHead(200, { "content-length": Buffer.byteLength(body) });
      return response.write(body.slice(0, body.length / 2), () => request.socket.destroy());
    }
    if (fault === "slow-loris") {
      response.writeHead(200, { "content-length": Buffer.byteLength(body) });
      let at = 0;
      const timer = setInterval(() => response.write(body[at++]), 50);
      this.timers.add(timer);
      return request.socket.on("close", () => clearInterval(timer));
    }
    return send(200, body);
  }

  answer({ id, data }) {
    return { id, probabilities: answerTo(Buffer.from(data, "base64"), this.classes) };
  }

  /** The answers of a request as a fault has them: the last one is spoilt, or their order or number. */
  spoil(answers, fault) {
    const good = answers.slice(0, -1);
    const { id, probabilities } = answers.at(-1);
    switch (fault) {
      case "wrong-length":
        return [...good, { id, probabilities: probabilities.slice(1) }];
      case "nan":
        return [...good, { id, probabilities: ["NaN", ...probabilities.slice(1)] }];
      case "null":
        return [...good, { id, probabilities: [null, ...probabilities.slice(1)] }];
      case "missing":
        return good;
      case "unknown-id":
        return [...good, { id: "of somebody else", probabilities }];
      case "duplicate":
        return [...answers, ...answers];
      case "contradiction":
        return [...answers, { id, probabilities: probabilities.toReversed() }];
      case "reordered":
        return answers.toReversed();
      default:
        return answers;
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await new FaultyServer(JSON.parse(process.argv[2] ?? "{}")).start();
  process.stdout.write(`${JSON.stringify({ url: server.url })}\n`);
  process.on("SIGTERM", () => {
    process.stdout.write(`${JSON.stringify(server.counts())}\n`);
    void server.stop();
  });
}
