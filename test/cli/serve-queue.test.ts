import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { PredictionQueue } from "../../cli/serve/queue.js";
import { Refusal } from "../../cli/serve/refusal.js";
import { startServer, type RunningServer, type ServeOptions } from "../../cli/serve/server.js";

/** One class, its probability a pixel; it is done when it is let go. */
function slowly() {
  const batches: number[] = [];
  const held: (() => void)[] = [];
  const predict = async (pixels: Uint8Array) => {
    batches.push(pixels.length);
    await new Promise<void>((resolve) => held.push(resolve));
    if (pixels.includes(255)) throw new Error("the device was lost");
    return Float32Array.from(pixels);
  };
  /** Lets a batch go, once there is one. */
  const letGo = async () => {
    await expect.poll(() => held.length).toBeGreaterThan(0);
    held.shift()!();
  };
  return { predict, batches, letGo };
}

const PATIENT = { timeout: 10_000 };

const once = () => new Promise((resolve) => setTimeout(resolve, 5));

describe("the queue of serve", () => {
  it("predicts one batch at a time, of the requests that wait, in their order", async () => {
    const { predict, batches, letGo } = slowly();
    const queue = new PredictionQueue(predict, { classes: 1, batch: 4, room: 100 });
    const first = queue.add(Uint8Array.of(1), 1);
    await once();
    const rest = [[2, 3], [4], [5, 6], [7, 8, 9, 10]].map((pixels) =>
      queue.add(Uint8Array.from(pixels), pixels.length),
    );
    for (let at = 0; at < 4; at++) await letGo();
    expect((await Promise.all([first, ...rest])).map((rows) => Array.from(rows))).toEqual([
      [1],
      [2, 3],
      [4],
      [5, 6],
      [7, 8, 9, 10],
    ]);
    expect(batches).toEqual([1, 3, 2, 4]);
  });

  it("sends away what it has no room for, and has room again after a fault", async () => {
    const { predict, letGo } = slowly();
    const queue = new PredictionQueue(predict, { classes: 1, batch: 2, room: 3 });
    const lost = queue.add(Uint8Array.of(1, 255), 2);
    lost.catch(() => undefined);
    await expect(queue.add(Uint8Array.of(1, 2), 2)).rejects.toMatchObject({
      status: 503,
      headers: { "retry-after": "1" },
    });
    await expect(queue.add(Uint8Array.of(1, 2), 2)).rejects.toBeInstanceOf(Refusal);
    await letGo();
    await expect(lost).rejects.toThrow("the device was lost");
    const later = queue.add(Uint8Array.of(1, 2, 3), 3);
    await letGo();
    expect(Array.from(await later)).toEqual([1, 2, 3]);
  });
});

describe("the server of serve", () => {
  let server: RunningServer | undefined;
  afterEach(() => server?.stop());

  const start = async (more: Partial<ServeOptions> = {}) => {
    const faults: unknown[] = [];
    const { predict, letGo } = slowly();
    server = await startServer({
      ...{ host: "127.0.0.1", port: 0, maxBody: 10_000, image: { channels: 1, height: 1, width: 1 } },
      description: { classes: 1, batch: 4 },
      queue: new PredictionQueue(predict, { classes: 1, batch: 4, room: 4 }),
      onFault: (error) => faults.push(error),
      ...more,
    });
    const ask = (...pixels: number[]) =>
      fetch(server!.url, {
        method: "POST",
        body: JSON.stringify({
          shape: [1, 1, 1],
          images: pixels.map((pixel, at) => ({ id: String(at), data: Buffer.from([pixel]).toString("base64") })),
        }),
      });
    return { url: server.url, ask, letGo, faults };
  };

  /** What comes back to bytes that are sent as they are. */
  const raw = (url: string, ...parts: string[]) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(url).port), "127.0.0.1");
      let text = "";
      socket.setEncoding("utf8").on("data", (part: string) => (text += part));
      socket.on("error", reject).on("close", () => {
        resolve(text);
      });
      for (const part of parts) socket.write(part);
    });

  it("sends requests away while too many wait", async () => {
    const { ask, letGo } = await start();
    const first = ask(1, 2, 3);
    await expect.poll(async () => (await ask(4, 5)).status).toBe(503);
    const refused = await ask(4, 5);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await refused.json()).toEqual({ error: "3 images wait already; come again" });
    await letGo();
    expect(await (await first).json()).toEqual({
      answers: [1, 2, 3].map((pixel, at) => ({ id: String(at), probabilities: [pixel] })),
    });
  });

  it("tells its operator of faults, and the client only that there was one", async () => {
    const { ask, letGo, faults } = await start();
    const answer = ask(255);
    await letGo();
    expect((await answer).status).toBe(500);
    expect(await (await answer).json()).toEqual({ error: "the server failed; its own output tells why" });
    expect(String(faults)).toBe("Error: the device was lost");
  });

  it("refuses a body that grows too long without knowing its length", async () => {
    const { url } = await start();
    const chunk = `1000\r\n${"x".repeat(4096)}\r\n`;
    const head = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    const last = head.replace("host: x", "host: x\r\nconnection: close");
    expect(await raw(url, last, ...Array.from({ length: 4 }, () => chunk), "0\r\n\r\n")).toMatch(/^HTTP\/1\.1 413 /);
    expect(await raw(url, head, ...Array.from({ length: 40 }, () => chunk))).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("sends requests away while too many bytes wait, and has room again when those are gone", async () => {
    const maxBody = 1000;
    const { url, ask, letGo } = await start({ maxBody });
    const port = Number(new URL(url).port);
    // Each holds what it has sent, and never sends the rest.
    const held = Array.from({ length: 9 }, () => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${maxBody}\r\n\r\n${"x".repeat(900)}`);
      return socket;
    });
    await expect
      .poll(async () => {
        const answer = await fetch(url, { method: "POST", body: "y".repeat(990) });
        return [answer.status, answer.headers.get("retry-after"), await answer.json()];
      }, PATIENT)
      .toEqual([503, "1", { error: "too many requests at a time; come again" }]);
    for (const socket of held) socket.destroy();
    await expect
      .poll(async () => (await fetch(url, { method: "POST", body: "y".repeat(990) })).status, PATIENT)
      .toBe(400);
    // More than all the room, one after the other.
    for (let time = 0; time < 20; time++) {
      expect((await fetch(url, { method: "POST", body: "y".repeat(990) })).status).toBe(400);
    }
    const answer = ask(7);
    await letGo();
    expect((await answer).status).toBe(200);
  });

  it("lets clients read why a long body is refused", async () => {
    const { url } = await start({ maxBody: 4e6 });
    // A client that sends all of it before it reads anything.
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.pause();
    socket.write("POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 6000000\r\n\r\n");
    for (let part = 0; part < 60; part++) {
      await new Promise<void>((resolve, reject) => {
        socket.write("x".repeat(1e5), (error) => {
          if (error) reject(error);
          else setTimeout(resolve, 2);
        });
      });
    }
    let text = "";
    socket.setEncoding("utf8").on("data", (part: string) => (text += part));
    await new Promise((resolve) => socket.on("close", resolve).resume());
    expect(text).toMatch(/^HTTP\/1\.1 413 [^]*a body of more than 4000000 bytes; send fewer images in a request/);
  });

  it("cuts off clients that send too slowly, and serves the others meanwhile", async () => {
    const { url, ask, letGo } = await start({ patience: { headers: 200, request: 400, look: 50, reading: 1000 } });
    const late = Promise.all([
      raw(url, "POST / HTTP/1.1\r\nhost"),
      raw(url, "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"),
    ]);
    const answer = ask(7);
    await letGo();
    expect((await answer).status).toBe(200);
    for (const text of await late) expect(text).toMatch(/^HTTP\/1\.1 408 |^$/);
  });

  it("lets clients wait for the device longer than they may read nothing of an answer", async () => {
    const { ask, letGo } = await start({ patience: { headers: 200, request: 400, look: 50, reading: 50 } });
    const answer = ask(7);
    await new Promise((resolve) => setTimeout(resolve, 600));
    await letGo();
    expect(await (await answer).json()).toEqual({ answers: [{ id: "0", probabilities: [7] }] });
  });

  it("cuts off clients that do not read their answers", async () => {
    const { url } = await start({ patience: { headers: 1000, request: 1000, look: 50, reading: 100 } });
    // Answers beyond what the connection holds, of which none is read.
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.pause();
    const closed = new Promise((resolve) => socket.on("close", resolve).on("error", () => undefined));
    const ask = "GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1000);
    const sending = setInterval(() => socket.write(ask), 2);
    await closed;
    clearInterval(sending);
  }, 60_000);

  it("answers what is no HTTP at all with 400", async () => {
    const { url } = await start();
    expect(await raw(url, "hello\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
    expect(await raw(url, "GET // HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).toMatch(/^HTTP\/1\.1 404 /);
  });
});
