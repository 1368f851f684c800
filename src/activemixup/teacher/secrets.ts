/** Values that come from the environment: how settings name them, and how they are kept out of what is shown. */
import { InputError } from "../../errors.js";

/** Variables of the environment by name, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Headers and parameters whose values may stand in a settings file; of any other, the value has to be a variable's. */
const HARMLESS = new Set([
  ...["accept", "accept-language", "content-type", "user-agent"],
  ...["format", "model", "lang", "language", "limit", "k", "top_k", "topk", "task", "version"],
]);
/** What gives away a parameter that carries a secret. */
const TELLTALE = /key|token|secret|auth|pass|sig|cookie|cred|session|jwt|sas|^code$/i;
const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;
/** What may stand around a variable: `Bearer `, `Token token=`. */
const AROUND = /^([A-Za-z][A-Za-z-]{0,11}[ =:]{0,2}){0,2}$/;
/** Start of a secret, cut off by an ellipsis, that is still one. */
const SHORTEST_START = 4;

/** Whether the value of a header or parameter of this name may be written down. */
export function isHarmless(name: string): boolean {
  return HARMLESS.has(name.toLowerCase()) || /(^|[-_])version$/i.test(name);
}

/** Whether a parameter of this name looks like one that carries a secret. */
export function looksSecret(name: string): boolean {
  return TELLTALE.test(name);
}

/**
 * What is wrong with the value of a header or parameter in a settings file, without the value; nothing where it may
 * stand there.
 */
export function faultOfValue(name: string, value: string): string | undefined {
  const around = value.replace(VARIABLE, "");
  if (around.includes("${")) return "has a ${ that names no variable; expected ${NAME}";
  if (isHarmless(name)) return undefined;
  if (around !== value && AROUND.test(around)) return undefined;
  return "may be a secret and stands in the file; write ${NAME} and set the variable NAME";
}

/**
 * Puts the environment's values in.
 * @param what names the values in errors: `teacher.json: http.headers`
 * @returns the values, and those of variables among them, which are never to be shown
 * @throws InputError that names a variable that is not set, or that a header cannot hold
 */
export function resolveVariables(
  values: Readonly<Record<string, string>>,
  what: string,
  environment: Environment,
): { values: Record<string, string>; secrets: string[] } {
  const secrets: string[] = [];
  const resolve = (name: string, value: string) =>
    value.replace(VARIABLE, (_, variable: string) => {
      const found = environment[variable];
      if (found === undefined || found === "") {
        throw new InputError(`${what}.${name} needs the environment variable ${variable}, which is not set; set it`);
      }
      // Else the client refuses the header, in words that hold the value.
      if (!/^[\t\x20-\x7e]+$/.test(found)) {
        throw new InputError(
          `${what}.${name}: the environment variable ${variable} holds a line break or another character that ` +
            `cannot be sent; expected visible ASCII characters`,
        );
      }
      secrets.push(found);
      return found;
    });
  return {
    values: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, resolve(name, value)])),
    secrets,
  };
}

/**
 * Text without secrets, as they are and as addresses and JSON write them, and without a start of one that an ellipsis
 * ends. To be applied before text is shortened by other means.
 */
export function redact(text: string, secrets: readonly string[]): string {
  const forms = new Set(
    secrets.flatMap((secret) => [
      secret,
      secret.trim(),
      encodeURIComponent(secret),
      new URLSearchParams([["", secret]]).toString().slice(1),
      JSON.stringify(secret).slice(1, -1),
      btoa(secret),
    ]),
  );
  forms.delete("");
  let clean = text;
  for (const form of [...forms].sort((a, b) => b.length - a.length)) {
    clean = clean.replaceAll(form, "***");
    if (!clean.includes("…")) continue;
    for (let length = form.length - 1; length >= SHORTEST_START; length--) {
      clean = clean.replaceAll(`${form.slice(0, length)}…`, "***…");
    }
  }
  return clean;
}

/** Text of somebody else's in one short line. */
export function oneLine(text: string, longest = 200): string {
  // eslint-disable-next-line no-control-regex -- control characters can do things to a terminal
  const line = text.replace(/[\s\x00-\x1f\x7f-\x9f]+/g, " ").trim();
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}
