/** One request over HTTP and its answer, with every fault told as what it means for the run. */
import { InputError } from "../../../errors.js";
import { oneLine, redact } from "../secrets.js";
import { TeacherFault } from "../teacher.js";

/** Most bytes of an answer that are read. */
const LONGEST_ANSWER = 64 * 2 ** 20;
/** Most bytes of a refusal that are read. */
const LONGEST_REFUSAL = 16 * 2 ** 10;

/** Codes of faults before anything is sent. */
const UNSENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);
/** Of certificates that will be no better next time. */
const MISTRUST = /CERT|^ERR_TLS|^ERR_SSL|UNABLE_TO_(GET|VERIFY)/;

/** Nothing was sent: nobody answers there. */
export class UnsentFault extends TeacherFault {
  constructor(message: string) {
    super(message, false);
  }
}

/** The server answered that the request is not to be repeated. */
export class RefusedError extends InputError {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export interface Address {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Never to be shown. */
  readonly secrets: readonly string[];
  /** The teacher's name, for errors. */
  readonly name: string;
}

/**
 * Sends a request and gives the JSON of its answer.
 * @throws TeacherFault where asking again may help; InputError where it will not, with the server's own message
 */
export async function exchange(
  { url, headers, secrets, name }: Address,
  request: { method: string; body?: string | Uint8Array<ArrayBuffer> | FormData; type?: string | undefined },
  signal?: AbortSignal,
): Promise<unknown> {
  const clean = (text: string) => redact(text, secrets);
  const { method, body, type } = request;
  let response: Response;
  try {
    const all = new Headers({ accept: "application/json", ...(type ? { "content-type": type } : {}) });
    for (const [header, value] of Object.entries(headers)) all.set(header, value);
    // A redirect is not followed: it could send the headers to somebody else.
    response = await fetch(url, {
      method,
      headers: all,
      body: body ?? null,
      redirect: "manual",
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    const { code, message } = causeOf(error);
    const what = oneLine(clean(message));
    if (code === "ERR_SSL_WRONG_VERSION_NUMBER") {
      throw new InputError(`the teacher ${name}: what answers there speaks no TLS; give the address with http://`);
    }
    if (MISTRUST.test(code)) {
      throw new InputError(`the teacher ${name}: the connection is not to be trusted (${what}); mend its certificate`);
    }
    // The standard of fetch has a list of ports that it never opens.
    if (message === "bad port") {
      throw new InputError(
        `the teacher ${name}: port ${url.port} is one that HTTP clients refuse; serve it at another`,
      );
    }
    throw UNSENT.has(code) ? new UnsentFault(what) : new TeacherFault(what, true);
  }
  const { status } = response;
  if (response.ok) return parse(await readBody(response, clean, signal), clean);
  if (response.type === "opaqueredirect" || (status >= 300 && status < 400)) {
    await response.body?.cancel();
    throw new InputError(`the teacher ${name} ${redirection(response, url, clean)}`);
  }
  const said = await readRefusal(response, clean, signal);
  const what = `HTTP ${status}${said ? `: ${said}` : ""}`;
  if (status === 408 || status === 429 || status >= 500) {
    throw new TeacherFault(what, status !== 429, retryAfter(response.headers.get("retry-after"), Date.now()));
  }
  const cure = cures[status] ?? "mend the settings";
  throw new RefusedError(status, `the teacher ${name} refuses the request (${what}); ${cure}`);
}

const cures: Record<number, string | undefined> = {
  401: "give the credentials that it wants (`http.headers`)",
  403: "give the credentials that it wants (`http.headers`)",
  404: "check the address",
  405: "check the address and `http.method`",
  413: "ask about fewer images at a time (`asking.batch`)",
};

/**
 * Seconds that a Retry-After header asks to wait: of a number of seconds, or of a date.
 * @param now milliseconds since 1970
 */
export function retryAfter(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const date = /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}

/** What lies below `fetch failed`. */
function causeOf(error: unknown): { code: string; message: string } {
  let found = error as Error & { code?: unknown };
  while (found.cause instanceof Error) found = found.cause as typeof found;
  const code = typeof found.code === "string" ? found.code : "";
  return { code, message: found.message || code || "the connection failed" };
}

async function readBody(response: Response, clean: (text: string) => string, signal?: AbortSignal): Promise<string> {
  try {
    const { text, whole } = await readText(response, LONGEST_ANSWER);
    if (whole) return text;
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new TeacherFault(`the answer was cut off (${oneLine(clean(causeOf(error).message))})`, true);
  }
  throw new TeacherFault(`an answer of more than ${LONGEST_ANSWER} bytes`, true);
}

/** The message of an answer that is none, in one line; empty where it has none. */
async function readRefusal(response: Response, clean: (text: string) => string, signal?: AbortSignal): Promise<string> {
  try {
    const { text, whole } = await readText(response, LONGEST_REFUSAL);
    // The start of a long message may end within a secret.
    return whole ? oneLine(clean(messageIn(text))) : "";
  } catch (error) {
    if (signal?.aborted) throw error;
    return "";
  }
}

async function readText(response: Response, most: number): Promise<{ text: string; whole: boolean }> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  if (!response.body) return { text, whole: true };
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { text: text + decoder.decode(), whole: true };
    length += value.length;
    if (length > most) {
      await reader.cancel();
      return { text, whole: false };
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** The message in a refusal: where APIs have it in JSON, else all of it. */
function messageIn(text: string): string {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return text.replace(/<(style|script)\b[^]*?<\/\1>/gi, " ").replace(/<[^<>]*>/g, " ");
  }
  for (let depth = 0; depth < 4; depth++) {
    if (Array.isArray(found)) found = found[0] as unknown;
    if (typeof found !== "object" || found === null) break;
    const { error, errors, message, detail, title } = found as Record<string, unknown>;
    const next = error ?? message ?? detail ?? errors ?? title;
    if (next === undefined) break;
    found = next;
  }
  return typeof found === "string" ? found : text;
}

/** Numbers that JSON does not have, as Python writes them, outside of strings. */
const NO_NUMBERS = /"[^"\\]*(?:\\[^][^"\\]*)*"|-?\b(?:NaN|Infinity)\b/g;

function parse(text: string, clean: (text: string) => string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (/NaN|Infinity/.test(text)) {
      // As text they spoil the answer that they stand in, and no other.
      const mended = text.replace(NO_NUMBERS, (found) => (found.startsWith('"') ? found : `"${found}"`));
      try {
        return JSON.parse(mended);
      } catch {
        // It is no JSON for other reasons.
      }
    }
    throw new TeacherFault(`an answer that is no JSON: ${oneLine(clean(text), 60) || "nothing"}`, true);
  }
}

function redirection(response: Response, url: URL, clean: (text: string) => string): string {
  const location = response.headers.get("location") ?? "";
  const target = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
  const to = target ? `${target.origin}${target.pathname}` : "another address";
  return `has moved to ${oneLine(clean(to))} (HTTP ${response.status}); give that address if you trust it`;
}
