/** Reads what a teacher's settings file holds. */
import { z } from "zod";
import { InputError } from "../../errors.js";
import { answerForms, MOST_CLASSES } from "./answer-form.js";
import { faultOfValue, oneLine } from "./secrets.js";
import type { TeacherSettings } from "./settings.js";

const count = (most: number) => z.int().min(1).max(most);
const text = z.string().min(1);
const values = z.record(text, z.string()).superRefine((record, context) => {
  for (const [name, value] of Object.entries(record)) {
    const message = faultOfValue(name, value);
    if (message) context.addIssue({ code: "custom", path: [name], message });
  }
});
/** Headers that the client sets itself. */
const OWN_HEADERS = /^(host|connection|content-length|transfer-encoding|keep-alive|upgrade|expect|te|trailer)$/i;
const headers = values.superRefine((record, context) => {
  for (const [name, value] of Object.entries(record)) {
    const message = !/^[\w!#$%&'*+.^`|~-]+$/.test(name)
      ? "is no name of a header"
      : OWN_HEADERS.test(name)
        ? "is a header that the client sets itself; leave it out"
        : !/^[\t\x20-\x7e]*$/.test(value)
          ? "holds a character that no header can; expected visible ASCII characters"
          : undefined;
    if (message) context.addIssue({ code: "custom", path: [name], message });
  }
});

const schema = z.strictObject({
  name: text.optional(),
  classes: count(MOST_CLASSES).optional(),
  classNames: z
    .array(text)
    .min(1)
    .superRefine((names, context) => {
      const lowest = new Map<string, number>();
      for (const [at, name] of names.entries()) {
        const first = lowest.get(name);
        if (first === undefined) lowest.set(name, at);
        else
          context.addIssue({ code: "custom", path: [at], message: `names class ${first} again; expected each once` });
      }
    })
    .optional(),
  asking: z
    .strictObject({
      batch: count(1 << 16).optional(),
      concurrency: count(256).optional(),
      requestsPerSecond: z.number().positive().optional(),
      timeoutSeconds: z.number().positive().max(300).optional(),
      attempts: count(1000).optional(),
      backoffSeconds: z.number().min(0).max(60).optional(),
    })
    .optional(),
  answer: z
    .strictObject({
      form: z.enum(answerForms as [string, ...string[]]).optional(),
      normalise: z.boolean().optional(),
      unknownLabels: z.enum(["refuse", "ignore"]).optional(),
      items: text.optional(),
      scores: text.optional(),
      labels: text.optional(),
      id: text.optional(),
      error: text.optional(),
    })
    .optional(),
  http: z
    .strictObject({
      method: z.enum(["POST", "PUT"]).optional(),
      headers: headers.optional(),
      query: values.optional(),
      body: z.enum(["json", "binary", "multipart"]).optional(),
      field: text.optional(),
      image: z.enum(["png", "raw", "numbers", "data-url"]).optional(),
      layout: z.enum(["NCHW", "NHWC"]).optional(),
      range: z.enum(["0-255", "0-1"]).optional(),
      template: z.unknown().optional(),
    })
    .optional(),
  onnx: z
    .strictObject({
      input: text.optional(),
      output: text.optional(),
      layout: z.enum(["NCHW", "NHWC"]).optional(),
      range: z.enum(["u8", "0-255", "0-1"]).optional(),
      mean: z.array(z.number()).min(1).optional(),
      deviation: z.array(z.number().positive()).min(1).optional(),
    })
    .optional(),
});

/**
 * Parses a settings file.
 * @param file its name, for errors
 * @throws InputError that names the file and the field; never with what stands in the field
 */
export function parseTeacherSettings(content: string, file: string): TeacherSettings {
  let json: unknown;
  try {
    json = JSON.parse(content.replace(/^\uFEFF/, ""));
  } catch (error) {
    // The parser's message quotes the text, in which a secret may stand.
    const at = /position (\d+)/.exec((error as Error).message)?.[1];
    const line = at === undefined ? undefined : content.slice(0, Number(at)).split("\n").length;
    throw new InputError(
      `${file} is not JSON${line === undefined ? "" : ` (line ${line})`}; expected a teacher's settings`,
    );
  }
  const { success, data, error } = schema.safeParse(json);
  if (!success) throw new InputError(`${file}: ${oneLine(describeIssue(error.issues[0], json), 300)}`);
  const settings = data as TeacherSettings;
  const { classes, classNames } = settings;
  if (classes !== undefined && classNames && classNames.length !== classes) {
    throw new InputError(
      `${file}: classes is ${classes} and classNames names ${classNames.length}; expected a name a class`,
    );
  }
  return settings;
}

/**
 * Parses a file of class names, one a line, in the order of the classes' numbers.
 * @param file its name, for errors
 */
export function parseLabels(content: string, file: string): string[] {
  const names = content
    .replace(/^\uFEFF/, "")
    .replace(/\r?\n$/, "")
    .split(/\r?\n/);
  const lines = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    const line = `${file}: line ${index + 1}`;
    if (name.trim() === "") throw new InputError(`${line} is empty; expected a class's name a line`);
    if (lines.has(name))
      throw new InputError(`${line} names the class of line ${lines.get(name)} again; expected each once`);
    lines.set(name, index + 1);
  }
  return names;
}

/** Numbers that are out of range are shown, and nothing else: it could be a secret that slipped into a wrong place. */
function describeIssue(issue: z.core.$ZodIssue, json: unknown): string {
  const { path } = issue;
  const at = path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
  if (issue.code === "unrecognized_keys") {
    const inside = fieldsAt(path);
    return `${[at, issue.keys[0]].filter(Boolean).join(".")} is no setting; expected one of ${inside.join(", ")}`;
  }
  if (issue.code === "custom") return `${at} ${issue.message}`;
  const found = path.reduce<unknown>((inside, part) => (inside as Record<PropertyKey, unknown>)[part], json);
  const what = at || "the whole";
  if (issue.code === "invalid_type") {
    const expected = (KINDS as Record<string, string | undefined>)[issue.expected] ?? issue.expected;
    return `${what} is ${kindOf(found)}; expected ${expected}`;
  }
  if (issue.code === "invalid_value") return `${what} is not known; expected one of ${issue.values.join(", ")}`;
  if (issue.code === "too_big" && typeof found === "number") {
    return `${what} is ${found}; expected at most ${issue.maximum}`;
  }
  if (issue.code === "too_small") {
    if (typeof found !== "number") return `${what} is empty; fill it or leave it out`;
    return `${what} is ${found}; expected ${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}`;
  }
  return `${what} is not as expected: ${issue.message}`;
}

const KINDS = {
  ...{ string: "a text", number: "a number", int: "a whole number", boolean: "true or false" },
  ...{ object: "an object", record: "an object", array: "a list", null: "null" },
};

function kindOf(value: unknown): string {
  if (value === null) return KINDS.null;
  if (Array.isArray(value)) return KINDS.array;
  if (typeof value === "number" && !Number.isInteger(value)) return "a number with a fraction";
  return (KINDS as Record<string, string | undefined>)[typeof value] ?? typeof value;
}

/** The names of the settings in the object at this path. */
function fieldsAt(path: readonly PropertyKey[]): string[] {
  let inside: unknown = schema;
  for (const part of path) {
    const field = (inside as typeof schema).shape[part as "http"];
    inside = field.unwrap();
  }
  return Object.keys((inside as typeof schema).shape);
}
