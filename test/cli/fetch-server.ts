import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How a server answers requests for a file. */
export type Behaviour =
  /** As it should, with parts where they are asked for. */
  | "right"
  /** Whole files, also where a part is asked for. */
  | "no-parts"
  /** Cuts the connection after so many bytes of each answer. */
  | { readonly cutAfter: number }
  /** Sends so many bytes, and then nothing more. */
  | { readonly stallAfter: number }
  /** Other content of the same length. */
  | "wrong-content"
  /** A part that begins elsewhere than it was asked for. */
  | "wrong-part"
  /** A part, without saying which. */
  | "unsaid-part"
  /** Says nothing of the length, and sends too much. */
  | "too-much"
  /** A file of another length. */
  | "wrong-length"
  /** A status and nothing else, so often; then as it should. */
  | { readonly status: number; readonly times: number };

/** A server of files on a port of its own, and what it was asked for. */
export interface FileServer {
  readonly url: string;
  /** Path and range of each request. */
  readonly asked: string[];
  behaviour: Behaviour;
  close(): Promise<void>;
}

/** Serves files by their names, on 127.0.0.1. */
export async function serveFiles(files: ReadonlyMap<string, Uint8Array>, behaviour: Behaviour): Promise<FileServer> {
  const asked: string[] = [];
  const made: { behaviour: Behaviour } = { behaviour };
  let refused = 0;
  const server: Server = createServer((request, response) => {
    const { range } = request.headers;
    asked.push(`${request.url!}${range ? ` ${range}` : ""}`);
    const how = made.behaviour;
    if (typeof how === "object" && "status" in how && refused < how.times) {
      refused++;
      response.writeHead(how.status).end();
      return;
    }
    const content = files.get(request.url!.slice(request.url!.lastIndexOf("/") + 1));
    if (content) answer(request, response, content, how);
    else response.writeHead(404).end("<html>nothing here</html>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(made, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sets`,
    asked,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  });
}

function answer(request: IncomingMessage, response: ServerResponse, whole: Uint8Array, how: Behaviour): void {
  const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? "");
  const start = asked && how !== "no-parts" ? Number(asked[1]) : 0;
  const content = how === "wrong-content" ? whole.map((byte) => byte ^ 1) : whole;
  const body = how === "wrong-length" ? content.subarray(start, -1) : content.subarray(start);
  if (how === "too-much") {
    response.writeHead(200, { "transfer-encoding": "chunked" });
    response.write(body);
    response.end("more");
    return;
  }
  const length = { "content-length": body.length };
  const first = how === "wrong-part" ? start + 1 : start;
  const total = how === "wrong-length" ? whole.length - 1 : whole.length;
  if (asked && how !== "no-parts") {
    response.writeHead(
      206,
      how === "unsaid-part" ? length : { ...length, "content-range": `bytes ${first}-${whole.length - 1}/${total}` },
    );
  } else response.writeHead(200, length);
  const most =
    typeof how === "object"
      ? "cutAfter" in how
        ? how.cutAfter
        : "stallAfter" in how
          ? how.stallAfter
          : Infinity
      : Infinity;
  if (most >= body.length) {
    response.end(body);
    return;
  }
  response.write(body.subarray(0, most), () => {
    if (typeof how === "object" && "cutAfter" in how) setTimeout(() => response.destroy(), 20);
  });
}
