import {
  defaultDistillOptions,
  distill,
  holdOut,
  MemoryStore,
  specFor,
  warpRanges,
  type Checkpoint,
  type DistillInput,
  type DistillOptions,
  type DistillReport,
  type LedgerEvent,
} from "../../src/activemixup/index.js";
import { drawDigits } from "../../src/data/index.js";
import { encodeNetwork, Network } from "../../src/nn/index.js";
import type { Device } from "../../src/tensor/index.js";
import { BrightnessTeacher, CLASSES } from "./brightness-teacher.js";

/** The real images, of which {@link run} holds out a quarter. */
export const all = { ...drawDigits(24, 1, { size: 12 }), labels: undefined };

export const base: DistillOptions = {
  ...defaultDistillOptions,
  budget: 60,
  rounds: 3,
  steps: 4,
  batch: 8,
  lambdas: [0.3, 0.5, 0.7],
  augmentation: { crop: 1, flip: true },
  seed: 5,
};

export const composed: DistillOptions = {
  ...base,
  candidates: "mixture",
  candidateWarps: warpRanges("affine", 1, false),
  pool: 40,
  realShare: 0.6,
  augmentation: { crop: 0, flip: false, warp: warpRanges("elastic", 0.5, true) },
};

export interface Run {
  readonly student: Uint8Array;
  readonly report: DistillReport;
  /** After each round: where to go on from, and what the ledger held. */
  readonly stops: readonly { readonly checkpoint: Checkpoint; readonly events: readonly LedgerEvent[] }[];
}

/** Distils a quarter of the images held out, and remembers where each round ended. */
export async function run(device: Device, options: DistillOptions, more: Partial<DistillInput> = {}): Promise<Run> {
  const { images, held } = holdOut(all, 0.25, options.seed);
  const student = new Network(device, specFor("lenet5-half", images, CLASSES), options.seed);
  const store = new MemoryStore("brightness");
  const events: LedgerEvent[] = [];
  const append = store.append.bind(store);
  store.append = (added) => {
    events.push(...added);
    return append(added);
  };
  const stops: Run["stops"][number][] = [];
  const report = await distill({
    ...{ images, holdout: held, student, options, stores: [store] },
    teacher: new BrightnessTeacher(),
    ...more,
    observer: {
      onRound: (_round, _soFar, checkpoint) => {
        stops.push({ checkpoint, events: [...events] });
        return Promise.resolve();
      },
    },
  });
  const bytes = await encodeNetwork(student);
  student.dispose();
  return { student: bytes, report, stops };
}
