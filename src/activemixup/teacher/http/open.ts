/** Makes an HTTP teacher of an address and a settings file. */
import { InputError } from "../../../errors.js";
import { backoff, sleep } from "../../ledger/pacer.js";
import { canonical } from "../canonical.js";
import { expectNames } from "../reading.js";
import { looksSecret, oneLine, redact, resolveVariables, type Environment } from "../secrets.js";
import type { TeacherSettings } from "../settings.js";
import { serviceManner, TeacherFault, type AskingManner } from "../teacher.js";
import { compileAnswers } from "./answers.js";
import { exchange, RefusedError, UnsentFault, type Address } from "./exchange.js";
import { HttpTeacher } from "./http-teacher.js";
import { defaultAnswer, description, type Description } from "./protocol.js";
import { compileRequest } from "./request.js";

/** How a teacher at an address is asked, and what stops its opening. */
export interface HttpTeacherOptions {
  readonly settings?: TeacherSettings | undefined;
  /** The settings file's name, for errors; `teacher.json` where absent. */
  readonly file?: string | undefined;
  /** Where `${NAME}` is looked up, such as `process.env`; no variable is set where absent. */
  readonly environment?: Environment | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens the teacher at an address. One that speaks the default protocol is asked what it is, unless the settings tell
 * how many classes it has; that counts as no query.
 * @throws InputError where the address or the settings cannot be meant, or the teacher does not describe itself
 */
export async function openHttpTeacher(address: string, options: HttpTeacherOptions = {}): Promise<HttpTeacher> {
  const { settings = {}, file = "teacher.json", environment = {}, signal } = options;
  const { answer, http = {}, classNames } = settings;
  const url = parseAddress(address);
  if (settings.onnx) throw new InputError(`${file}: onnx says nothing to a teacher at ${shown(url)}; leave it out`);
  const name = settings.name ?? (await nameOf(url, settings));
  const headers = resolveVariables(http.headers ?? {}, `${file}: http.headers`, environment);
  const query = resolveVariables(http.query ?? {}, `${file}: http.query`, environment);
  for (const [key, value] of Object.entries(query.values)) url.searchParams.append(key, value);
  const secrets = [...headers.secrets, ...query.secrets];
  const place: Address = { url, headers: headers.values, secrets, name };

  const finds = answer && (answer.items ?? answer.scores ?? answer.labels ?? answer.id ?? answer.error) !== undefined;
  const standard = http.template === undefined && (http.body ?? "json") === "json" && !finds;
  if (standard && (answer?.form === "top" || answer?.form === "label")) {
    throw new InputError(`${file}: answer.form is ${answer.form}; tell where an answer's labels are (answer.labels)`);
  }
  const request = await compileRequest(http, `${file}: http`);
  const told = standard && settings.classes === undefined ? await describe(place, settings, signal) : undefined;
  const classes = settings.classes ?? told?.classes ?? classNames?.length;
  if (classes === undefined) {
    throw new InputError(`${file} does not tell how many classes the teacher ${name} has; give classes or classNames`);
  }
  if (classNames) expectNames(`the teacher ${name}`, classes, classNames, told?.classNames);
  const names = classNames ?? told?.classNames;
  if (names && names.length !== classes) {
    throw new InputError(`the teacher ${name} has ${classes} classes and names ${names.length}; mend the teacher`);
  }
  const reading = {
    ...{ form: answer?.form ?? "probabilities", classes, classNames: names },
    ...{ normalise: answer?.normalise, unknownLabels: answer?.unknownLabels },
  } as const;
  const answers = compileAnswers(finds ? answer : standard ? defaultAnswer : {}, reading, `${file}: answer`);
  const [channels, height, width] = told?.image ?? [];
  return new HttpTeacher({
    address:
      told?.version === undefined || settings.name !== undefined
        ? place
        : { ...place, name: `${name} ${told.version}` },
    ...{ classes, form: reading.form, classNames: names, request, answers },
    image: told?.image && { channels: channels!, height: height!, width: width! },
    manner: mannerOf(settings, file, request.several && answers.several, told?.batch),
  });
}

/** @throws InputError where secrets stand in the address: a command line is seen by others, and kept */
function parseAddress(address: string): URL {
  if (!URL.canParse(address))
    throw new InputError(`--teacher: the address cannot be read; expected http://… or https://…`);
  const url = new URL(address);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new InputError(`--teacher: an address of ${url.protocol}; expected http:// or https://`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new InputError(
      `--teacher ${shown(url)}: the address holds a user or password; leave it out and give the header authorization ` +
        `in --teacher-config, as "Basic \${NAME}"`,
    );
  }
  const secret = [...url.searchParams.keys()].find(looksSecret);
  if (secret !== undefined) {
    throw new InputError(
      `--teacher ${shown(url)}: the parameter ${oneLine(secret, 40)} looks like a secret; leave it out and give it in ` +
        `--teacher-config, under http.query, as "\${NAME}"`,
    );
  }
  url.hash = "";
  return url;
}

/** An address without parameters. */
function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

/** The address, and a digest of the settings that bear on the answers. Values of variables do not count. */
async function nameOf(url: URL, { answer, http = {}, classNames }: TeacherSettings): Promise<string> {
  const plain = (values: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => !value.includes("${")));
  const byName = answer?.labels !== undefined || answer?.form === "label";
  const parts = {
    ...{ answer, ...http, headers: plain(http.headers), query: plain(http.query) },
    classNames: byName ? classNames : undefined,
  };
  const told = canonical(parts);
  if (told === canonical({ headers: {}, query: {} })) return url.href;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(told)));
  return `${url.href} (${Array.from(digest.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join("")})`;
}

/** Statuses that tell nothing of whether a teacher describes itself. */
const UNAUTHORISED = new Set([401, 403]);

/** Asks a teacher what it is, as often as it may be asked. */
async function describe(address: Address, { asking }: TeacherSettings, signal?: AbortSignal): Promise<Description> {
  const { attempts, backoffSeconds, timeoutSeconds } = { ...serviceManner, ...asking };
  const cure = "if it does not describe itself, give classes in --teacher-config";
  for (let failed = 1; ; failed++) {
    const late = AbortSignal.timeout(Math.ceil(timeoutSeconds! * 1000));
    let fault: unknown;
    try {
      const json = await exchange(address, { method: "GET" }, signal ? AbortSignal.any([signal, late]) : late);
      const { success, data } = description.safeParse(json);
      if (success) return clean(data, address.secrets);
      fault = new InputError(
        `the teacher ${address.name} gives no description; expected JSON with the number of its \`classes\``,
      );
    } catch (error) {
      signal?.throwIfAborted();
      fault = late.aborted ? new TeacherFault(`no answer in ${timeoutSeconds} s`, true) : error;
    }
    if (fault instanceof RefusedError && UNAUTHORISED.has(fault.status)) throw fault;
    if (fault instanceof InputError) throw new InputError(`${fault.message}; ${cure}`);
    if (!(fault instanceof TeacherFault)) throw fault;
    // Where nobody listens, waiting is of no use.
    if (fault instanceof UnsentFault) {
      throw new InputError(`the teacher ${address.name} does not answer (${fault.message}); start it; ${cure}`);
    }
    if (failed === attempts) {
      throw new InputError(
        `the teacher ${address.name} gives no description (${fault.message}); check the address, and that it is well; ${cure}`,
      );
    }
    await sleep(Math.max(backoff(backoffSeconds, failed), fault.retryAfter ?? 0), signal);
  }
}

function clean({ version, classNames, ...rest }: Description, secrets: readonly string[]): Description {
  return {
    ...rest,
    version: version === undefined ? undefined : oneLine(redact(version, secrets)),
    classNames: classNames?.map((name) => redact(name, secrets)),
  };
}

function mannerOf({ asking }: TeacherSettings, file: string, several: boolean, most = Infinity): AskingManner {
  const limit = several ? most : 1;
  if (asking?.batch !== undefined && asking.batch > limit) {
    throw new InputError(
      `${file}: asking.batch is ${asking.batch}; expected at most ${limit}, ` +
        (several ? "which is what the teacher takes" : "since neither template nor answer are about several images"),
    );
  }
  return { ...serviceManner, ...asking, batch: asking?.batch ?? Math.min(serviceManner.batch, limit) };
}
