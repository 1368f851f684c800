import { createTensor, DeviceError, readTensor, record, type Device, type Recording } from "../../src/tensor/index.js";
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

/** What the device does at best in one respect, in GFLOP/s or GB/s. */
export interface Ceiling {
  /** The highest of the passes. */
  readonly best: number;
  /** Median of each pass, in order. */
  readonly passes: readonly number[];
}

export type Ceilings = Readonly<Record<Bound, Ceiling>>;

/** How rates follow from the seconds of single runs: the quickest run has the highest rate. */
export function ratesOf(samples: readonly number[], perRun: number): Summary {
  return summarise(samples.map((seconds) => perRun / seconds));
}

/** One of the two kernels, recorded, with a check of what it has written. */
interface Probe {
  readonly recording: Recording<unknown>;
  /** GFLOP or GB of one run. */
  readonly work: number;
  readonly passes: number[];
  check(): Promise<void>;
  dispose(): void;
}

/**
 * Measures what the device does at best: multiply-adds in registers, and copying f32 numbers of more than any cache
 * holds. Passes may be repeated between rows, since a machine that others use too is not always as fast; the best pass
 * counts.
 */
export class CeilingMeter {
  private constructor(private readonly probes: Readonly<Record<Bound, Probe>>) {}

  /** @param sizes those that fit the device where absent */
  static async create(device: Device, sizes: CeilingSizes = ceilingSizes(device)): Promise<CeilingMeter> {
    const multiplyAdd = await multiplyAddProbe(device, sizes);
    try {
      return new CeilingMeter({ "multiply-add": multiplyAdd, copy: await copyProbe(device, sizes) });
    } catch (error) {
      multiplyAdd.dispose();
      throw error;
    }
  }

  /** The passes so far: at least one. */
  get ceilings(): Ceilings {
    const ceiling = ({ passes }: Probe): Ceiling => ({ best: Math.max(...passes), passes });
    return { "multiply-add": ceiling(this.probes["multiply-add"]), copy: ceiling(this.probes.copy) };
  }

  /**
   * Measures both once, and checks in the first pass what they have computed.
   * @throws DeviceError where a result is wrong: then the device's other figures are worth nothing either.
   */
  async measure(sampling: Sampling, signal?: AbortSignal): Promise<void> {
    for (const { recording, work, passes, check } of Object.values(this.probes)) {
      const samples = await measure(recording, sampling, signal);
      if (passes.length === 0) await check();
      passes.push(ratesOf(samples, work).median);
    }
  }

  dispose(): void {
    for (const probe of Object.values(this.probes)) probe.dispose();
  }
}

async function multiplyAddProbe(device: Device, sizes: CeilingSizes): Promise<Probe> {
  const { invocations, rounds } = sizes;
  const out = createTensor(device, [invocations], { name: "sums" });
  // With these numbers every intermediate is a whole number that f32 holds exactly.
  const recording = await record(device, (recorder) => {
    recorder.add(multiplyAddLaunch(out, rounds, 1, 1));
  });
  return {
    recording,
    work: multiplyAddFlops(sizes) / 1e9,
    passes: [],
    check: async () => {
      const sums = await readTensor(out);
      const wrong = sums.findIndex((sum, index) => sum !== 144 * (index % 1024) + 66 + 12 * 16 * rounds);
      if (wrong >= 0) throw wrongResult(device, "multiply-add", `sum ${wrong} is ${sums[wrong]}`);
    },
    dispose: () => {
      recording.dispose();
      out.dispose();
    },
  };
}

async function copyProbe(device: Device, sizes: CeilingSizes): Promise<Probe> {
  const x = filled(device, [sizes.copied]);
  const out = createTensor(device, [sizes.copied], { name: "copy" });
  const recording = await record(device, (recorder) => {
    recorder.add(copyLaunch(x, out));
  });
  return {
    recording,
    work: copyBytes(sizes) / 1e9,
    passes: [],
    check: async () => {
      const [expected, actual] = await Promise.all([readTensor(x), readTensor(out)]);
      const wrong = actual.findIndex((value, index) => value !== expected[index]);
      if (wrong >= 0) throw wrongResult(device, "copy", `number ${wrong} is ${actual[wrong]}, not ${expected[wrong]}`);
    },
    dispose: () => {
      for (const each of [recording, x, out]) each.dispose();
    },
  };
}

function wrongResult(device: Device, kernel: string, what: string): DeviceError {
  return new DeviceError(`${device.info.adapter}: the ${kernel} kernel gives wrong results (${what}): mend the driver`);
}
