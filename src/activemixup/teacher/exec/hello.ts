import { z } from "zod";
import { answerForms, MOST_CLASSES } from "../answer-form.js";
import { FrameError } from "./frames.js";

/** Version of the frames and their JSON. */
const PROTOCOL = 1;

/** What a child process says of the teacher that it serves, before anything is asked. */
export type Hello = z.infer<typeof helloSchema>;

const helloSchema = z.strictObject({
  protocol: z.literal(PROTOCOL),
  classes: z.int().min(1).max(MOST_CLASSES),
  /** In the order of their numbers. */
  classNames: z.array(z.string()).optional(),
  /** What a row of answers is; probabilities where absent. */
  form: z.enum(answerForms).optional(),
  /** Most images that the child takes in a request. */
  batch: z.int().min(1).optional(),
  /** Tells the model apart in ledgers, in place of the command line. */
  name: z.string().min(1).max(200).optional(),
});

/** Why a child process has no answers to a request. */
export type ChildError = z.infer<typeof errorSchema>;

const errorSchema = z.strictObject({
  message: z.string().min(1),
  /** Asking again is of no use. */
  fatal: z.boolean().optional(),
  /** Whether the attempt may have been charged for; true where absent. */
  charged: z.boolean().optional(),
  /** Seconds to wait before the next request. */
  retryAfter: z.number().min(0).optional(),
});

/** @throws FrameError where a hello frame does not hold what it has to */
export function parseHello(body: Uint8Array): Hello {
  const hello = parse("hello", helloSchema, body);
  const names = hello.classNames?.length ?? hello.classes;
  if (names !== hello.classes) {
    throw new FrameError(`its hello names ${names} classes and says that there are ${hello.classes}`);
  }
  return hello;
}

/** @throws FrameError where an error frame does not hold what it has to */
export function parseError(body: Uint8Array): ChildError {
  return parse("error", errorSchema, body);
}

function parse<T>(what: string, schema: z.ZodType<T>, body: Uint8Array): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    throw new FrameError(`its ${what} is no JSON: ${(error as Error).message}`);
  }
  const { data, error } = schema.safeParse(value);
  if (error) {
    const { path, message } = error.issues[0];
    throw new FrameError(`its ${what}${path.length > 0 ? `, field ${path.join(".")}` : ""}: ${message}`);
  }
  return data as T;
}
