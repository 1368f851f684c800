import { createTensor, DeviceError, readTensor, record, type Device } from "../../src/tensor/index.js";
import { filled, type Bound } from "../cases/case.js";
import { measure, type Sampling } from "../measure.js";
import { summarise, type Summary } from "../statistics.js";
import {
  ceilingSizes,
  copyBytes,
  copyLaunch,
  multiplyAddFlops,
  multiplyAddLaunch,
  type CeilingSizes,
} from "./kernels.js";

/** What the device does at best, in GFLOP/s and GB/s. */
export type Ceilings = Readonly<Record<Bound, Summary>>;

/** How rates follow from the seconds of single runs: the quickest run has the highest rate. */
export function ratesOf(samples: readonly number[], perRun: number): Summary {
  return summarise(samples.map((seconds) => perRun / seconds));
}

/**
 * Measures what the device does at best: multiply-adds in registers, and copying f32 numbers of more than any cache
 * holds. Both kernels' results are checked.
 * @throws DeviceError where a result is wrong: then the device's other figures are worth nothing either.
 */
export async function measureCeilings(
  device: Device,
  sampling: Sampling,
  signal?: AbortSignal,
  sizes: CeilingSizes = ceilingSizes(device),
): Promise<Ceilings> {
  const multiplyAdd = await measureMultiplyAdd(device, sampling, sizes, signal);
  const copy = await measureCopy(device, sampling, sizes, signal);
  return { "multiply-add": multiplyAdd, copy };
}

async function measureMultiplyAdd(
  device: Device,
  sampling: Sampling,
  sizes: CeilingSizes,
  signal?: AbortSignal,
): Promise<Summary> {
  const { invocations, rounds } = sizes;
  const out = createTensor(device, [invocations], { name: "sums" });
  // With these numbers every intermediate is a whole number that f32 holds exactly.
  const recording = await record(device, (recorder) => {
    recorder.add(multiplyAddLaunch(out, rounds, 1, 1));
  });
  try {
    const samples = await measure(recording, sampling, signal);
    const sums = await readTensor(out);
    const wrong = sums.findIndex((sum, index) => sum !== 144 * (index % 1024) + 66 + 12 * 16 * rounds);
    if (wrong >= 0) throw wrongResult(device, "multiply-add", `sum ${wrong} is ${sums[wrong]}`);
    return ratesOf(samples, multiplyAddFlops(sizes) / 1e9);
  } finally {
    recording.dispose();
    out.dispose();
  }
}

async function measureCopy(
  device: Device,
  sampling: Sampling,
  sizes: CeilingSizes,
  signal?: AbortSignal,
): Promise<Summary> {
  const x = filled(device, [sizes.copied]);
  const out = createTensor(device, [sizes.copied], { name: "copy" });
  const recording = await record(device, (recorder) => {
    recorder.add(copyLaunch(x, out));
  });
  try {
    const samples = await measure(recording, sampling, signal);
    const [expected, actual] = await Promise.all([readTensor(x), readTensor(out)]);
    const wrong = actual.findIndex((value, index) => value !== expected[index]);
    if (wrong >= 0) throw wrongResult(device, "copy", `number ${wrong} is ${actual[wrong]}, not ${expected[wrong]}`);
    return ratesOf(samples, copyBytes(sizes) / 1e9);
  } finally {
    recording.dispose();
    x.dispose();
    out.dispose();
  }
}

function wrongResult(device: Device, kernel: string, what: string): DeviceError {
  return new DeviceError(`${device.info.adapter}: the ${kernel} kernel gives wrong results (${what}): mend the driver`);
}
