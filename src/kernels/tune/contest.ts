import { DeviceError } from "../../errors.js";
import type { Device } from "../../tensor/device.js";
import type { Problem } from "../../tensor/problem.js";
import { record, type Recording } from "../../tensor/recording.js";
import { createTensor, readTensor, type Tensor } from "../../tensor/tensor.js";
import { difference, expectedRows, randomInputs, type Expected } from "./check.js";
import { worthwhile, type Timing } from "./measured.js";
import { NoAnswerError, Sampler, within, type Sampling } from "./sample.js";

/** A candidate that took the device with it. */
export class LostError extends Error {
  constructor(
    readonly variant: string,
    reason: string,
  ) {
    super(reason);
  }
}

/** A candidate whose result is not the reference's. */
class WrongResultError extends Error {}

export interface ContestOptions {
  readonly sampling: Sampling;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
  /** Candidates done so far. */
  readonly onCandidates: (done: number) => void;
}

/**
 * Checks and times a problem's candidates, but for those that have failed already.
 * @param failures reasons by variant; takes those of the candidates that fail now
 * @throws LostError where a candidate leaves the device unable to go on, the signal's reason after an abort.
 */
export async function measureProblem(
  device: Device,
  problem: Problem,
  failures: Map<string, string>,
  { sampling, seed, signal, onCandidates }: ContestOptions,
): Promise<Record<string, Timing>> {
  const { candidates } = problem;
  const { patience } = sampling;
  const data = randomInputs(problem, seed);
  const expected = await expectedRows(problem, data, seed);
  const inputs = problem.inputs.map(({ shape, dtype }, index) =>
    createTensor(device, shape, { data: data[index], dtype, name: `input ${index}` }),
  );
  const recordings = new Map<string, Recording<Tensor>>();
  const samplers = new Map<string, Sampler>();
  /** Takes the candidate out where `work` fails. */
  const attempt = async (variant: string, work: () => Promise<void>) => {
    signal?.throwIfAborted();
    try {
      await work();
    } catch (error) {
      failures.set(variant, await reasonOf(device, variant, error, patience));
      samplers.delete(variant);
    }
  };
  try {
    for (const [index, variant] of candidates.entries()) {
      if (failures.has(variant)) continue;
      await attempt(variant, async () => {
        const recording = await within(
          record(device, (recorder) => recorder.keep(problem.record(recorder, inputs, variant))),
          patience,
        );
        recordings.set(variant, recording);
        await check(recording, expected, patience);
        const sampler = new Sampler(recording, sampling);
        samplers.set(variant, sampler);
        await sampler.warmUp();
      });
      onCandidates(index + 1);
    }
    await sampleInTurns(samplers, sampling.samples, attempt);
    return Object.fromEntries(
      candidates.map((variant): [string, Timing] => {
        const sampler = samplers.get(variant);
        return [variant, sampler ? { milliseconds: sampler.milliseconds } : { failure: failures.get(variant)! }];
      }),
    );
  } finally {
    for (const recording of recordings.values()) recording.dispose();
    for (const tensor of inputs) tensor.dispose();
  }
}

/**
 * Runs a recording once and holds its result against what is expected.
 * @throws WrongResultError where they differ.
 */
async function check(recording: Recording<Tensor>, expected: Expected, patience: number): Promise<void> {
  recording.run();
  const { result } = recording;
  const found = difference(await within(readTensor(result), patience), result.shape, expected);
  if (found) throw new WrongResultError(found);
}

/** One sample of each, in turns; after the first, of those that may still win. */
async function sampleInTurns(
  samplers: ReadonlyMap<string, Sampler>,
  samples: number,
  attempt: (variant: string, work: () => Promise<void>) => Promise<void>,
): Promise<void> {
  let left = [...samplers];
  for (let turn = 0; turn < samples; turn++) {
    for (const [variant, sampler] of left) await attempt(variant, () => sampler.sample());
    left = left.filter(([variant]) => samplers.has(variant));
    if (turn > 0 || left.length === 0) continue;
    left = worthwhile(left.map(([, { milliseconds }]) => milliseconds[0])).map((index) => left[index]);
  }
}

/**
 * Why a candidate is out.
 * @throws LostError where the device cannot go on, `error` itself where it is none of a candidate's.
 */
async function reasonOf(device: Device, variant: string, error: unknown, patience: number): Promise<string> {
  if (error instanceof WrongResultError) return error.message;
  if (error instanceof NoAnswerError) throw new LostError(variant, error.message);
  if (!(error instanceof DeviceError)) throw error;
  const [reason] = error.message.split("\n");
  try {
    await within(device.finish(), patience);
    return reason;
  } catch {
    throw new LostError(variant, reason);
  }
}
