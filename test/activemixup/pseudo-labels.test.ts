import { describe, expect, it } from "vitest";
import {
  createCandidates,
  defaultDistillOptions,
  distill,
  holdOut,
  MemoryStore,
  planDistill,
  RandomAcquisition,
  serviceManner,
  specFor,
  studentSeed,
  TeacherFault,
  warpRanges,
  type Checkpoint,
  type DistillInput,
  type DistillOptions,
  type DistillReport,
} from "../../src/activemixup/index.js";
import { Committee } from "../../src/activemixup/committee.js";
import { MeanPredictor } from "../../src/activemixup/mean-predictor.js";
import { exampleOfBlend } from "../../src/activemixup/training-images.js";
import { drawDigits } from "../../src/data/index.js";
import { encodeNetwork, encodeState, Examples, limitWarmup, Network, Predictor, Trainer } from "../../src/nn/index.js";
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
    const mean = await MeanPredictor.create(networks, 5);
    const labels = await mean.predict(images.pixels);
    mean.dispose();
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
  });

  it("are of candidates by chance, by the student and one that learnt the same answers; both sets are trained on", async () => {
    const device = devices[name];
    // Of the answers the real images are more than this, of all that the student learns in the end less.
    const options: DistillOptions = { ...base, committee: 2, temperature: 2, realShare: 0.35 };
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
    await ofOther.fit(3, { steps: 5, schedule: limitWarmup(options.schedule, 5) });

    const kept = newStudent(device);
    kept.load(before.student, "the checkpoint");
    const candidates = createCandidates(images, real, options, { single: false });
    for (const { candidate } of before.answers) if (candidate !== undefined) candidates.take(candidate);
    candidates.begin(3);
    const chosen = await new RandomAcquisition({ candidates, student: kept, seed: options.seed }).select(20, 3);
    const asked = new Set(before.answers.map(({ candidate }) => candidate));
    expect(chosen.filter(({ candidate }) => asked.has(candidate))).toEqual([]);
    const mean = await MeanPredictor.create([kept, other], 20);
    const labels = await mean.predict(candidates.pixels(chosen));
    examples.set(
      [...answered, ...chosen.map((choice) => exampleOfBlend(choice))],
      softened([...before.answers.map(({ label }) => label), ...labels]),
    );
    const trainer = await Trainer.create(kept, examples, options, 5);
    trainer.skip(9);
    const emphasis = { count: 12, share: 0.35 };
    const loss = await trainer.fit(3, { steps: 5, schedule: limitWarmup(options.schedule, 5), emphasis });
    expect(report.rounds[3].loss).toBe(loss);
    expect(student).toEqual(await encodeNetwork(kept));
    for (const used of [mean, ofOther, trainer, examples, candidates, other, kept, real]) used.dispose();
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

  it("does so too where no round brought a better student, and not where one is good enough", async () => {
    const { images: trained, held } = holdOut(images, 0.25, base.seed);
    const more = { images: trained, holdout: held };
    const options: DistillOptions = { ...base, steps: 5, budget: 24, rounds: 6, patience: 1 };
    const still: DistillOptions = { ...options, schedule: { kind: "constant", rate: 1e-30 } };
    const { report, checkpoints } = await run(devices.cpu, still, more);
    expect(report).toMatchObject({ stopped: "patience", keptRound: 0 });
    expect(report.rounds.map((round) => round.pseudoLabels)).toEqual([undefined, undefined, 20]);
    const rest = await run(devices.cpu, still, { ...more, resume: checkpoints[1] });
    expect(rest.report.rounds.map(({ holdout }) => holdout)).toEqual(report.rounds.map(({ holdout }) => holdout));
    const constant = new BrightnessTeacher();
    const third = Float32Array.from({ length: CLASSES }, (_, index) => (index === 3 ? 1 : 0));
    constant.query = ({ count }) => Promise.resolve(Array.from({ length: count }, () => third));
    const easy: DistillOptions = { ...options, steps: 12, patience: undefined, targetAgreement: 1 };
    const reached = await run(devices.cpu, easy, { ...more, teacher: constant });
    expect(reached.report.stopped).toBe("target-agreement");
    expect(reached.report.rounds.every((round) => round.pseudoLabels === undefined)).toBe(true);
  });

  it("trains by epochs: the others over the answers, the student over all", async () => {
    const { report, trained } = await run(devices.cpu, { ...base, steps: undefined, epochs: 2 });
    expect(report.rounds.map(({ steps }) => steps)).toEqual([3, 5, 8, 13]);
    expect(trained.at(-1)).toEqual([8 + 8 + 13, 8 + 8 + 13]);
  });

  it("leaves no memory behind where it is aborted while the committee labels, and goes on from before", async () => {
    const device = devices.gpu;
    const whole = await run(device, { ...base, ...mixture });
    const before = device.stats();
    const aborting = new AbortController();
    const checkpoints: Checkpoint[] = [];
    const student = newStudent(device);
    const report = await distill({
      ...{
        images,
        student,
        options: { ...base, ...mixture },
        teacher: new BrightnessTeacher(),
        signal: aborting.signal,
      },
      observer: {
        onRound: (_round, _soFar, checkpoint) => {
          checkpoints.push(checkpoint);
          return Promise.resolve();
        },
        onProgress: (phase, round) => {
          if (phase === "select" && round === 3) aborting.abort();
        },
      },
    });
    student.dispose();
    expect(report).toMatchObject({ interrupted: true, queries: 30 });
    expect(report.rounds).toHaveLength(3);
    const { liveBuffers, liveBytes } = device.stats();
    expect({ liveBuffers, liveBytes }).toEqual({ liveBuffers: before.liveBuffers, liveBytes: before.liveBytes });
    const rest = await run(device, { ...base, ...mixture }, { resume: checkpoints[2] });
    expect(rest.student).toEqual(whole.student);
  });

  it("says so where a student of the committee diverges", async () => {
    const student = newStudent(devices.cpu);
    const committee = await Committee.create(student, { ...base, committee: 2 });
    const real = createTensor(devices.cpu, [12, 1, 12, 12], { dtype: "u8", data: images.pixels });
    const examples = new Examples(devices.cpu, real, 1, CLASSES);
    examples.set([{ first: 0, second: 0, weight: 65536 }], new Float32Array(CLASSES).fill(0.1));
    const fit = { steps: 4, schedule: { kind: "constant", rate: 1e38 } as const };
    await expect(committee.train(3, examples, fit)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: a student of the committee diverged in round 3: its loss is NaN; lower --rate]`,
    );
    for (const used of [committee, examples, real, student]) used.dispose();
  });
});

describe("a plan with pseudo-labels", () => {
  const attempt = (change: Partial<DistillOptions>) => run(devices.cpu, { ...base, ...change });

  it("names what does not fit it", async () => {
    await expect(attempt({ pseudoLabels: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: --pseudo-labels is 0; expected a whole number from 1 up]`,
    );
    await expect(attempt({ strategy: "real-only", steps: 3 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: --pseudo-labels is of candidates, and --strategy real-only has none; leave it out]`,
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
    await expect(attempt({ steps: undefined, epochs: 20_000_000 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: --epochs or --steps give more than 16777216 training steps in a round; lower them, or --pseudo-labels]`,
    );
    const { spec } = newStudent(devices.cpu);
    const student = { spec, device: { capabilities: { bindingBytes: 1999 } } } as Network;
    const small = { images, student, teacher: new BrightnessTeacher(), options: base };
    expect(() => planDistill(small)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: the answers to 50 images, of 10 classes, are 2000 bytes, and this device takes 1999 in one place; lower --budget or --pseudo-labels]`,
    );
    await expect(attempt({ committee: 1 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: --committee is 1; expected a whole number from 2 to 16, the student among them]`,
    );
  });
});
