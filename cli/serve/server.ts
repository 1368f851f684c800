/** The HTTP side of `serve`: routes, limits, the token, and how it stops. */
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Description, Reply } from "../../src/activemixup/index.js";
import { InputError } from "../../src/errors.js";
import type { ImageShape } from "../../src/nn/index.js";
import type { PredictionQueue } from "./queue.js";
import { readQuestion } from "./question.js";
import { Refusal } from "./refusal.js";

export interface ServeOptions {
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
  /** Most bytes of a request's body. */
  readonly maxBody: number;
  /** Requests without it are refused; none is needed where absent. */
  readonly token?: string | undefined;
  readonly description: Description & { readonly batch: number };
  readonly image: ImageShape;
  readonly queue: PredictionQueue;
  /** Hears of faults that are not the client's. */
  readonly onFault: (error: unknown) => void;
  readonly patience?: Patience;
}

/** Milliseconds that are given to clients: slower ones are cut off. */
export interface Patience {
  /** In which its headers have to arrive. */
  readonly headers: number;
  /** In which the whole request has to arrive, its headers included. */
  readonly request: number;
  /** Between looks for clients that are late. */
  readonly look: number;
  /** Without reading any of an answer that is there. */
  readonly reading: number;
}

const PATIENCE: Patience = { headers: 10_000, request: 60_000, look: 1_000, reading: 60_000 };
/** Milliseconds that requests under way are waited for when the server stops. */
const STOP_TIME = 30_000;
/** A body that is not wanted is read to its end, and forgotten, if it is at most so many times the longest that is. */
const DRAINED = 4;
/** Bodies of the longest kind that may be in memory at a time. */
const BODIES = 8;

export interface RunningServer {
  readonly url: string;
  /** Ends once the requests under way are answered. */
  stop(): Promise<void>;
}

/** Starts serving. @throws InputError where it may not listen there */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const { host, port, patience = PATIENCE } = options;
  const room: Room = { left: BODIES * options.maxBody };
  const server = createServer(
    {
      headersTimeout: patience.headers,
      requestTimeout: patience.request,
      connectionsCheckingInterval: patience.look,
      keepAliveTimeout: 30_000,
    },
    (request, response) => {
      void handle(request, response, { ...options, room, server });
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        new InputError(
          `--host ${host} --port ${port} cannot be listened at (${error.code ?? error.message}); ` +
            `give another port (0 takes a free one) or host`,
        ),
      );
    });
    server.listen(port, host, resolve);
  });
  const { address, family, port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${taken}/`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        setTimeout(() => {
          server.closeAllConnections();
        }, STOP_TIME).unref();
      }),
  };
}

/** Bytes of bodies that may still be taken into memory. */
interface Room {
  left: number;
}

interface Context extends ServeOptions {
  readonly room: Room;
  readonly server: Server;
}

async function handle(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  let status = 200;
  let body: unknown;
  let headers: Readonly<Record<string, string>> = {};
  try {
    body = await answer(request, context);
  } catch (error) {
    if (error instanceof Refusal) ({ status, headers } = error);
    else if (request.destroyed && !request.complete)
      return; // The client is gone.
    else {
      status = 500;
      context.onFault(error);
    }
    body = { error: error instanceof Refusal ? error.message : "the server failed; its own output tells why" };
    // A client that is still sending would not read why.
    await drain(request, DRAINED * context.maxBody);
  }
  const text = JSON.stringify(body);
  // Not before: what waits for the device may be silent for long.
  response.setTimeout((context.patience ?? PATIENCE).reading, () => request.socket.destroy());
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    ...headers,
    ...(request.complete && context.server.listening ? {} : { connection: "close" }),
  });
  response.end(request.method === "HEAD" ? undefined : text);
}

/** What a request is answered with. @throws Refusal */
async function answer(request: IncomingMessage, context: Context): Promise<Description | Reply | { status: "ok" }> {
  const [path] = (request.url ?? "/").split("?");
  const { method } = request;
  const reads = method === "GET" || method === "HEAD";
  if (path === "/healthz") {
    if (reads) return { status: "ok" };
    throw new Refusal(405, `${method} of ${path}; expected GET`, { allow: "GET, HEAD" });
  }
  if (path !== "/") throw new Refusal(404, "nothing is here; expected / or /healthz");
  if (!reads && method !== "POST") {
    throw new Refusal(405, `${method} of ${path}; expected GET or POST`, { allow: "GET, HEAD, POST" });
  }
  authorise(request, context.token);
  const { description, image, queue, maxBody, room } = context;
  if (reads) return description;
  let taken = 0;
  try {
    const body = await readBody(request, maxBody, (bytes) => {
      if (bytes > room.left) throw new Refusal(503, "too many requests at a time; come again", { "retry-after": "1" });
      room.left -= bytes;
      taken += bytes;
    });
    const { ids, pixels } = readQuestion(body, image, description.batch);
    const rows = await queue.add(pixels, ids.length);
    const { classes } = description;
    return {
      answers: ids.map((id, at) => ({
        id,
        probabilities: Array.from(rows.subarray(at * classes, (at + 1) * classes)),
      })),
    };
  } finally {
    room.left += taken;
  }
}

function authorise(request: IncomingMessage, token: string | undefined): void {
  if (token === undefined) return;
  // Digests have the same length, so that the comparison takes the same time whatever was sent.
  const digest = (text: string) => createHash("sha256").update(text).digest();
  // The scheme may be written in any case (RFC 9110, section 11.1).
  const [, given = ""] = /^bearer +(.*)$/i.exec(request.headers.authorization ?? "") ?? [];
  if (timingSafeEqual(digest(given), digest(token))) return;
  throw new Refusal(401, "no token, or not the right one; expected the header authorization: Bearer TOKEN", {
    "www-authenticate": "Bearer",
  });
}

/** @param take is told of bytes before they are kept */
async function readBody(request: IncomingMessage, most: number, take: (bytes: number) => void): Promise<Uint8Array> {
  const tooLong = () => new Refusal(413, `a body of more than ${most} bytes; send fewer images in a request`);
  if (Number(request.headers["content-length"] ?? 0) > most) throw tooLong();
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > most) throw tooLong();
    take(part.length);
    parts.push(part);
  }
  return Buffer.concat(parts, length);
}

/** Reads the rest of a request and forgets it: up to `most` bytes. */
async function drain(request: IncomingMessage, most: number): Promise<void> {
  if (request.complete || request.destroyed) return;
  let length = 0;
  await new Promise<void>((resolve) => {
    request.on("data", (part: Buffer) => {
      if ((length += part.length) > most) resolve();
    });
    for (const end of ["end", "close", "error"]) {
      request.on(end, () => {
        resolve();
      });
    }
    request.resume();
  });
}
