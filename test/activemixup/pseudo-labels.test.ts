import { describe, expect, it } from "vitest";
import {
  createCandidates,
  defaultDistillOptions,
  distill,
  MemoryStore,
  planRounds,
  RandomAcquisition,
  serviceManner,
  specFor,
  stopReason,
  studentSeed,
  TeacherFault,
  warpRanges,
  type Checkpoint,
  type DistillInput,
  type DistillOptions,
  type DistillReport,
} from "../../src/activemixup/index.js";
import { pseudoLabels } from "../../src/activemixup/pseudo-labels.js";
import { exampleOfBlend } from "../../src/activemixup/training-images.js";
import { drawDigits } from "../../src/data/index.js";
import { encodeNetwork, encodeState, Examples, Network, Predictor, Trainer } from "../../src/nn/index.js";
import { createTensor, type Device } from "../../src/tensor/index.js";
import { useDevices } from "../devices.js";
import { BrightnessTeacher, CLASSES } from "./brightness-teacher.js";

const devices = useDevices();
const images = { ...drawDigits(12, 1, { size: 12 }), labels: undefined };

const base: DistillOptions = {
  ...defaultDistillOptions,
  budget: 30,
  rounds: 2,
  steps: [3, 3, 3, 5],
  batch: 8,
  lambdas: [0.3, 0.5, 0.7],
  seed: 5,
  pseudoLabels: 20,
};

const newStudent = (device: Device) => new Network(device, specFor("lenet5-half", images, CLASSES), base.seed);

interface Run {
  readonly student: Uint8Array;
  readonly report: DistillReport;
  readonly teacher: BrightnessTeacher;
  readonly checkpoints: readonly Checkpoint[];
  /** Of the closing round's training, all that it told. */
  readonly trained: readonly (readonly [done: number, total: number])[];
}

async function run(device: Device, options: DistillOptions, more: Partial<DistillInput> = {}): Promise<Run> {
  const student = newStudent(device);
  const teacher = new BrightnessTeacher();
  const checkpoints: Checkpoint[] = [];
  const trained: [number, number][] = [];
  const report = await distill({
    ...{ images, student, options, teacher },
    ...more,
    observer: {
      onRound: (_round, _soFar, checkpoint) => {
        checkpoints.push(checkpoint);
        return Promise.resolve();
      },
      onProgress: (phase, round, done, total) => {
        if (phase === "train" && round === 3) trained.push([done, total]);
      },
    },
  });
  const bytes = await encodeNetwork(student);
  student.dispose();
  return { student: bytes, report, teacher, checkpoints, trained };
}

describe.each(["cpu", "gpu"] as const)("pseudo-labels, on the %s device", (name) => {
  it("are the mean of what the students say of each image", async () => {
    const device = devices[name];
    const networks = [1, 2, 3].map((seed) => new Network(device, specFor("lenet5-half", images, CLASSES), seed));
    const seen: number[] = [];
    const labels = await pseudoLabels(networks, images.pixels, { onProgress: (done) => seen.push(done) });
    expect(labels).toHaveLength(12);
    const said: Float32Array[] = [];
    for (const network of networks) {
      const predictor = await Predictor.create(network, 12);
      said.push((await predictor.predict(images.pixels)).probabilities);
      predictor.dispose();
      network.dispose();
    }
    for (const [image, label] of labels.entries()) {
      for (const [k, probability] of label.entries()) {
        const each = said.map((all) => all[image * CLASSES + k]);
        expect(probability).toBeCloseTo(each.reduce((sum, p) => sum + p) / 3, 6);
        expect(new Set(each).size).toBe(3);
      }
    }
    expect(seen.at(-1)).toBe(36);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  it("are of candidates by chance, by the student and one that learnt the same answers; both sets are trained on", async () => {
    const device = devices[name];
    const options: DistillOptions = { ...base, committee: 2, temperature: 2 };
    const { report, checkpoints, student, teacher } = await run(device, options);
    expect(teacher.shown).toHaveLength(30);
    expect(report).toMatchObject({ queries: 30, stopped: "plan", keptRound: 3 });
    expect(report.rounds.map(({ asked }) => asked)).toEqual([12, 9, 9, 0]);
    expect(report.rounds.map((round) => round.pseudoLabels)).toEqual([undefined, undefined, undefined, 20]);
    expect(report.rounds[3]).toMatchObject({ queries: 30, steps: 5, unanswered: 0, skipped: 0 });

    const before = checkpoints[2];
    expect(checkpoints[3].answers).toEqual(before.answers);
    const real = createTensor(device, [12, 1, 12, 12], { dtype: "u8", data: images.pixels });
    const examples = new Examples(device, real, 50, CLASSES);
    const answered = before.answers.map((answer) => exampleOfBlend(answer));
    const softened = (labels: readonly Float32Array[]) =>
      Float32Array.from(
        labels.flatMap((label) => {
          const roots = Array.from(label, (p) => Math.max(p, 1e-7) ** (1 / 2));
          const total = roots.reduce((sum, root) => sum + root);
          return roots.map((root) => root / total);
        }),
      );
    examples.set(answered, softened(before.answers.map(({ label }) => label)));
    const seed = studentSeed(options.seed, 1);
    const other = new Network(device, specFor("lenet5-half", images, CLASSES), seed);
    const ofOther = await Trainer.create(other, examples, { ...options, seed }, 5);
    await ofOther.fit(3, { steps: 5, schedule: options.schedule });

    const kept = newStudent(device);
    kept.load(before.student, "the checkpoint");
    const candidates = createCandidates(images, real, options, false);
    for (const { candidate } of before.answers) if (candidate !== undefined) candidates.take(candidate);
    candidates.begin(3);
    const chosen = await new RandomAcquisition({ candidates, student: kept, seed: options.seed }).select(20, 3);
    const asked = new Set(before.answers.map(({ candidate }) => candidate));
    expect(chosen.filter(({ candidate }) => asked.has(candidate))).toEqual([]);
    const labels = await pseudoLabels([kept, other], candidates.pixels(chosen));
    examples.set(
      [...answered, ...chosen.map((choice) => exampleOfBlend(choice))],
      softened([...before.answers.map(({ label }) => label), ...labels]),
    );
    const trainer = await Trainer.create(kept, examples, options, 5);
    trainer.skip(9);
    const loss = await trainer.fit(3, { steps: 5, schedule: options.schedule });
    expect(report.rounds[3].loss).toBe(loss);
    expect(student).toEqual(await encodeNetwork(kept));
    for (const used of [ofOther, trainer, examples, candidates, other, kept, real]) used.dispose();
  });
});

describe("a run that closes with pseudo-labels", () => {
  const mixture: Partial<DistillOptions> = {
    candidates: "mixture",
    candidateWarps: warpRanges("affine", 1, false),
    pool: 40,
    augmentation: { crop: 1, flip: true },
  };

  it.each([
    ["by confidence", base],
    ["by badge among compositions", { ...base, ...mixture, strategy: "badge", badgeSample: 30 }],
    ["by a committee", { ...base, strategy: "committee", augmentation: { crop: 1, flip: true } }],
    ["by a committee that begins anew each round", { ...base, strategy: "committee", committee: 2, restart: true }],
  ] as [string, DistillOptions][])("%s goes on after any checkpoint to the same student", async (_, options) => {
    const whole = await run(devices.cpu, options);
    const others = (options.committee ?? 3) - 1;
    expect(whole.trained.at(-1)).toEqual([5 * (others + 1), 5 * (others + 1)]);
    expect(whole.trained.map(([done]) => done)).toEqual(whole.trained.map(([done]) => done).toSorted((a, b) => a - b));
    for (const resume of whole.checkpoints) {
      const rest = await run(devices.cpu, options, { resume });
      expect(rest.student).toEqual(whole.student);
      expect(rest.teacher.shown).toHaveLength(30 - resume.answers.length);
    }
    expect(encodeState(newStudent(devices.cpu).spec, whole.checkpoints[3].student)).toEqual(whole.student);
    expect(whole.checkpoints[2].student).not.toEqual(whole.checkpoints[3].student);
  });

  it("does so too where nothing but the real images is asked about", async () => {
    const { report, teacher } = await run(devices.cpu, { ...base, budget: 12, steps: [3, 5] });
    expect(teacher.shown).toHaveLength(12);
    expect(report.rounds.map(({ asked, pseudoLabels: added }) => [asked, added])).toEqual([
      [12, undefined],
      [0, 20],
    ]);
  });

  it("does so too where failures used up the budget", async () => {
    let attempts = 0;
    const manner = { ...serviceManner, batch: 3, concurrency: 1, backoffSeconds: 0 };
    const teacher = new BrightnessTeacher("failing", 0, manner);
    const query = teacher.query.bind(teacher);
    teacher.query = (batch) => (++attempts === 9 ? Promise.reject(new TeacherFault("HTTP 503", true)) : query(batch));
    const stores = [new MemoryStore("failing")];
    const { report } = await run(devices.cpu, base, { teacher, stores });
    expect(report).toMatchObject({ stopped: "budget", queries: 27 });
    expect(report.rounds.map((round) => round.unanswered)).toEqual([0, 0, 3, 0]);
    expect(report.rounds[3].pseudoLabels).toBe(20);
  });

  it("is over earlier where a round before the last used up the budget", () => {
    const round = (unanswered: number) => ({ unanswered }) as DistillReport["rounds"][number];
    expect(stopReason([round(0), round(2)], [12, 9, 9, 0], {})).toBe("budget");
    expect(stopReason([round(0), round(2)], [12, 9, 0], {})).toBeUndefined();
    expect(stopReason([round(0), round(2), round(0)], [12, 9, 0], {})).toBe("budget");
    expect(stopReason([round(0), round(0), round(0)], [12, 9, 0], {})).toBe("plan");
  });
});

describe("a plan with pseudo-labels", () => {
  const plan = (change: Partial<DistillOptions>) => planRounds(12, { ...base, ...change });
  const attempt = (change: Partial<DistillOptions>) => run(devices.cpu, { ...base, ...change });

  it("ends with a round that asks nothing", () => {
    expect(plan({})).toEqual([12, 9, 9, 0]);
    expect(plan({ pseudoLabels: undefined })).toEqual([12, 9, 9]);
    expect(plan({ budget: 12 })).toEqual([12, 0]);
  });

  it("names what does not fit it", async () => {
    expect(() => plan({ pseudoLabels: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --pseudo-labels is 0; expected a whole number from 1 up]`,
    );
    expect(() => plan({ strategy: "real-only" })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --pseudo-labels are of candidates, and --strategy real-only has none; leave it out]`,
    );
    await expect(attempt({ steps: [1, 1, 1] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: --steps gives 3 numbers; expected one for all rounds, or one for each of the 4, the round of the real images first, that of pseudo-labels last]`,
    );
    await expect(attempt({ pseudoLabels: 60 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: --budget and --pseudo-labels take 78 blends and the pool has 66 pairs, each taken at most once; lower --pseudo-labels or --budget by 12, or raise --pool or --n]`,
    );
    await expect(
      attempt({ candidates: "mixture", pool: 15, pseudoLabels: 16 }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: a round takes 16 images and --pool gives it 15 candidates; raise --pool, or lower --pseudo-labels]`,
    );
    await expect(
      attempt({ pseudoLabels: undefined, committee: 2, steps: 3 }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: --committee is of --strategy committee and of --pseudo-labels; the strategy is confidence: leave it out]`,
    );
    await expect(attempt({ committee: 1 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: --committee is 1; expected a whole number from 2 to 16, the student among them]`,
    );
  });
});
