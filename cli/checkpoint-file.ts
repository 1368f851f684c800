/** A run's checkpoint as a safetensors file, and its answers as JSON lines. */
import { z } from "zod";
import type { AnsweredQuery, Checkpoint, Comparison, RoundReport } from "../src/activemixup/index.js";
import { InputError } from "../src/errors.js";
import { decodeSafetensors, encodeSafetensors, type NetworkState } from "../src/nn/index.js";

const STUDENT = "student/";
const BEST = "best/";
/** Followed by the number of the member. */
const COMMITTEE = "committee/";

/**
 * The checkpoint but for its answers, which stand in `queries.jsonl`.
 * @param answersEnd bytes of that file that belong to it
 */
export function encodeCheckpoint(
  { rounds, leftOut, student, best, committee = [], comparison }: Checkpoint,
  answersEnd: number,
): Uint8Array {
  const tensors = new Map([
    ...withPrefix(student, STUDENT),
    ...withPrefix(best ?? new Map(), BEST),
    ...committee.flatMap((member, index) => [...withPrefix(member, `${COMMITTEE}${index}/`)]),
  ]);
  return encodeSafetensors(tensors, {
    rounds: JSON.stringify(rounds),
    leftOut: JSON.stringify(leftOut),
    answersEnd: String(answersEnd),
    ...(comparison ? { comparison: JSON.stringify(comparison) } : {}),
  });
}

/**
 * What {@link encodeCheckpoint} wrote.
 * @param name of the file, for errors
 * @throws InputError where it is damaged
 */
export function decodeCheckpoint(
  bytes: Uint8Array,
  name: string,
): { state: Omit<Checkpoint, "answers">; answersEnd: number } {
  const { tensors, metadata } = decodeSafetensors(bytes, name);
  const best = withoutPrefix(tensors, BEST);
  try {
    const rounds = JSON.parse(metadata.rounds) as RoundReport[];
    const leftOut = JSON.parse(metadata.leftOut) as number[];
    const student = withoutPrefix(tensors, STUDENT);
    const committee = committeeOf(tensors);
    return {
      state: {
        rounds,
        leftOut,
        student,
        ...(best.size > 0 ? { best } : {}),
        ...(committee.length > 0 ? { committee } : {}),
        ...(metadata.comparison === undefined ? {} : { comparison: JSON.parse(metadata.comparison) as Comparison }),
      },
      answersEnd: Number(metadata.answersEnd),
    };
  } catch {
    throw new InputError(`${name}: its metadata is damaged; put back the file that the run wrote, or begin anew`);
  }
}

function committeeOf(tensors: NetworkState): NetworkState[] {
  const members: NetworkState[] = [];
  for (;;) {
    const member = withoutPrefix(tensors, `${COMMITTEE}${members.length}/`);
    if (member.size === 0) return members;
    members.push(member);
  }
}

function withPrefix(state: NetworkState, prefix: string): NetworkState {
  return new Map([...state].map(([name, tensor]) => [prefix + name, tensor]));
}

function withoutPrefix(state: NetworkState, prefix: string): NetworkState {
  const own = [...state].filter(([name]) => name.startsWith(prefix));
  return new Map(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

/**
 * One line an answer: numbers of the two images among those trained on, λ, the teacher's probabilities; of a candidate
 * of warped images its kind, and the box of a cutmix; of each candidate what the student said of it before and after it
 * was trained on the answer. In parts of some lines: with many classes all of them are more than a string can hold.
 */
export function* formatAnswers(answers: readonly AnsweredQuery[]): Generator<string> {
  for (let start = 0; start < answers.length; start += LINES) {
    yield answers
      .slice(start, start + LINES)
      .map((answer) => `${formatAnswer(answer)}\n`)
      .join("");
  }
}

/** Lines that are written at once. */
const LINES = 256;

function formatAnswer(answer: AnsweredQuery): string {
  const { round, kind, first, second, lambda, box, candidate, confidence, before, after, label } = answer;
  const chosen = { candidate, confidence, before, after };
  return JSON.stringify({ round, kind, first, second, lambda, box, ...chosen, label: Array.from(label, digits) });
}

/** As many digits as tell an f32 from its neighbours. */
function digits(value: number): number {
  return Number(value.toPrecision(9));
}

const index = z.int().min(0);
const belief = z.object({ label: index, confidence: z.number() });
const answerLine = z.object({
  round: index,
  first: index,
  second: index,
  lambda: z.number(),
  kind: z.enum(["warp", "mix", "cutmix"]).optional(),
  box: z.tuple([index, index, index, index]).optional(),
  candidate: index.optional(),
  confidence: z.number().optional(),
  before: belief.optional(),
  after: belief.optional(),
  label: z.array(z.number()),
});

/**
 * The answers of lines that {@link formatAnswers} wrote.
 * @throws InputError that names the first line that is no answer
 */
export async function parseAnswers(lines: AsyncIterable<string>, name: string): Promise<AnsweredQuery[]> {
  const answers: AnsweredQuery[] = [];
  for await (const line of lines) {
    try {
      const { label, ...answer } = answerLine.parse(JSON.parse(line));
      answers.push({ ...answer, label: Float32Array.from(label) } as AnsweredQuery);
    } catch {
      const number = answers.length + 1;
      throw new InputError(`${name}: line ${number} is damaged; put back the file that the run wrote, or begin anew`);
    }
  }
  return answers;
}
