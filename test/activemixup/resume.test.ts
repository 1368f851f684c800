import { describe, expect, it } from "vitest";
import {
  AnswerFault,
  bestRound,
  divergence,
  estimateMean,
  estimateShare,
  holdOut,
  MemoryStore,
  planDistill,
  serviceManner,
  specFor,
  splitHoldout,
  TeacherFault,
  type Checkpoint,
  type DistillInput,
  type DistillOptions,
  type DistillReport,
  type Teacher,
} from "../../src/activemixup/index.js";
import { drawDigits } from "../../src/data/index.js";
import { InputError } from "../../src/errors.js";
import { encodeState, Network } from "../../src/nn/index.js";
import { useDevices } from "../devices.js";
import { BrightnessTeacher, CLASSES } from "./brightness-teacher.js";
import { all, base, composed, run } from "./held-out-run.js";

const devices = useDevices();
const ofHost: [string, DistillOptions][] = [
  ["by chance, with a student that starts anew each round", { ...base, strategy: "random", restart: true }],
  ["by chance, with a student that takes a part of its weights along", { ...base, strategy: "random", shrink: 0.4 }],
  ["by confidence among compositions", composed],
  ["with one random λ a pair of a sampled pool", { ...base, strategy: "confidence-single", pool: 50 }],
];

describe.each(["cpu", "gpu"] as const)("a run that goes on after a checkpoint, on the %s device", (name) => {
  it.each([
    ["by confidence", base],
    [
      "by badge, from a sample of compositions of neighbours, warped in the training of two rounds, with averaged weights",
      { ...composed, strategy: "badge", neighbours: 3, badgeSample: 30, augmentRounds: 2, average: 0.5 },
    ],
    // What these add is not the device's.
    ...(name === "cpu" ? ofHost : []),
  ])("%s ends with the same student, bit for bit, and pays for nothing twice", async (_, options) => {
    const whole = await run(devices[name], options);
    expect(whole.report).toMatchObject({ queries: 60, stopped: "plan" });
    for (const { checkpoint, events } of whole.stops) {
      const teacher = new BrightnessTeacher();
      const store = new MemoryStore(teacher.name);
      await store.append(events);
      const rest = await run(devices[name], options, { teacher, stores: [store], resume: checkpoint });
      expect(rest.student).toEqual(whole.student);
      expect(teacher.shown).toHaveLength(60 - 6 - checkpoint.answers.length);
      expect(rest.report.teachers).toEqual(whole.report.teachers);
      expect(withoutTimes(rest.report)).toEqual(withoutTimes(whole.report));
    }
  });
});

describe("a run that goes on after its second checkpoint", () => {
  it.each([
    ["by noisy confidence", { ...base, strategy: "noisy-confidence" }],
    ["by a committee", { ...base, strategy: "committee" }],
    [
      "by a committee of two that starts anew each round",
      { ...base, strategy: "committee", committee: 2, restart: true },
    ],
    [
      "by a committee of two that takes a part of its weights along",
      { ...base, strategy: "committee", committee: 2, shrink: 0.4 },
    ],
  ])("%s ends with the same student, bit for bit", async (_, options) => {
    const whole = await run(devices.gpu, options);
    const { checkpoint, events } = whole.stops[1];
    const store = new MemoryStore("brightness");
    await store.append(events);
    const rest = await run(devices.gpu, options, { stores: [store], resume: checkpoint });
    expect(rest.student).toEqual(whole.student);
    const [last, lastOfWhole] = [rest, whole].map(({ stops }) => stops.at(-1)!.checkpoint);
    expect(untimed(last)).toEqual(untimed(lastOfWhole));
  });
});

function untimed({ rounds, ...checkpoint }: Checkpoint): object {
  return { ...checkpoint, rounds: rounds.map((round) => ({ ...round, seconds: undefined })) };
}

function withoutTimes({ queries, keptRound, stopped, rounds }: DistillReport): object {
  return { queries, keptRound, stopped, rounds: rounds.map((round) => ({ ...round, seconds: undefined })) };
}

describe("held-out images", () => {
  const device = () => devices.cpu;

  it("are asked about within the budget, and never trained on or blended", async () => {
    const teacher = new BrightnessTeacher();
    const { report, stops } = await run(device(), base, { teacher, stores: undefined });
    const { images, held } = holdOut(all, 0.25, base.seed);
    expect([images.count, held!.count]).toEqual([18, 6]);
    expect(report).toMatchObject({ queries: 60, teachers: [{ answered: 60, spent: 60 }] });
    expect(teacher.shown).toHaveLength(60);
    const { answers } = stops.at(-1)!.checkpoint;
    expect(answers).toHaveLength(54);
    expect(Math.max(...answers.map(({ first, second }) => Math.max(first, second)))).toBeLessThan(18);
  });

  it("choose the student that is kept: that of the best round", async () => {
    const { report, student, stops } = await run(device(), base);
    const best = bestRound(report.rounds)!;
    expect(report.keptRound).toBe(best.round);
    const { images } = holdOut(all, 0.25, base.seed);
    const kept = stops[best.round].checkpoint.student;
    expect(student).toEqual(encodeState(specFor("lenet5-half", images, CLASSES), kept));
    for (const { holdout } of report.rounds) {
      expect(holdout!.agreement.low).toBeLessThanOrEqual(holdout!.agreement.value);
      expect(holdout!.divergence.value).toBeGreaterThan(0);
    }
  });

  it("end the run at the agreement asked for, or once no round brings a better student", async () => {
    const constant = new BrightnessTeacher();
    const third = Float32Array.from({ length: CLASSES }, (_, index) => (index === 3 ? 1 : 0));
    constant.query = ({ count }) => Promise.resolve(Array.from({ length: count }, () => third));
    const easy = await run(device(), { ...base, steps: 12, targetAgreement: 1 }, { teacher: constant });
    const reached = easy.report.rounds.findIndex(({ holdout }) => holdout!.agreement.value === 1);
    expect(reached).toBeGreaterThanOrEqual(0);
    expect(easy.report).toMatchObject({ stopped: "target-agreement" });
    expect(easy.report.rounds).toHaveLength(reached + 1);
    const still: DistillOptions = { ...base, rounds: 6, patience: 2, schedule: { kind: "constant", rate: 1e-30 } };
    const { report } = await run(device(), still);
    expect(report).toMatchObject({ stopped: "patience", keptRound: 0 });
    expect(report.rounds).toHaveLength(3);
    expect(report.queries).toBeLessThan(60);
  });

  it("have answers, or the run ends and says what to do; those that are left out are not counted", async () => {
    const manner = { ...serviceManner, batch: 2, concurrency: 1, attempts: 50, backoffSeconds: 0 };
    const { held } = holdOut(all, 0.25, base.seed);
    const size = held!.pixels.length / held!.count;
    const isHeld = (id: string, ids: readonly string[], pixels: Uint8Array) => {
      const own = pixels.subarray(ids.indexOf(id) * size, (ids.indexOf(id) + 1) * size);
      return Array.from({ length: held!.count }, (_, at) => held!.pixels.subarray(at * size, (at + 1) * size)).some(
        (one) => one.every((value, at) => value === own[at]),
      );
    };
    const refusing = (most: number, attempts = 50) => {
      const teacher: Teacher = new BrightnessTeacher("brightness", 0, { ...manner, attempts });
      const query = teacher.query.bind(teacher);
      const refused = new Set<string>();
      teacher.query = async (batch) =>
        (await query(batch)).map((answer, image) => {
          const id = batch.ids[image];
          if (isHeld(id, batch.ids, batch.pixels) && (refused.has(id) || refused.size < most)) refused.add(id);
          return refused.has(id) ? new AnswerFault("refused") : answer;
        });
      return teacher;
    };
    await expect(run(device(), { ...base, budget: 30 }, { teacher: refusing(2) })).rejects.toThrow(
      "the budget was spent before the teacher had answered 6 of 6 held-out images; begin anew with a larger --budget",
    );
    const skipping = { ...base, skipUnanswered: true };
    await expect(run(device(), skipping, { teacher: refusing(6, 1) })).rejects.toThrow(
      "the teacher answered none of the 6 held-out images; give --holdout 0",
    );
    const { report } = await run(device(), skipping, { teacher: refusing(2, 1) });
    expect(report.heldOut).toBe(4);
    expect(report.rounds[0].skipped).toBe(2);
    const shares = report.rounds.map(({ holdout }) => 4 * holdout!.agreement.value);
    for (const same of shares) expect(same).toBeCloseTo(Math.round(same), 9);
  });

  it("are needed by what looks at them", async () => {
    const { images } = holdOut(all, 0.25, base.seed);
    const attempt = (change: Partial<DistillOptions>) =>
      run(device(), { ...base, ...change }, { images, holdout: undefined });
    await expect(attempt({ patience: 2 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: --patience looks at held-out images and there are none; give --holdout]`,
    );
    await expect(attempt({ targetAgreement: 0.9 })).rejects.toThrow("--target-agreement looks at held-out images");
    expect(() => splitHoldout(10, 1, 0)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --holdout is 1; expected a share of the images from 0 to below 1, for example 0.1]`,
    );
    expect(() => splitHoldout(3, 0.5, 0)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --holdout 0.5 takes 2 of 3 images and leaves fewer than 2 to train on; raise --n or give --holdout 0]`,
    );
    expect(splitHoldout(10, 0, 0).held).toEqual([]);
  });
});

describe("a budget with failures", () => {
  it("shortens the last rounds where nothing is kept for them, trains on what was answered, and ends", async () => {
    let attempts = 0;
    const teacher = new BrightnessTeacher("failing", 0, {
      ...serviceManner,
      batch: 6,
      concurrency: 2,
      backoffSeconds: 0,
    });
    const query = teacher.query.bind(teacher);
    teacher.query = (batch) =>
      ++attempts % 4 === 0 ? Promise.reject(new TeacherFault("HTTP 503", true)) : query(batch);
    const { report, stops } = await run(devices.cpu, base, { teacher, stores: undefined });
    const [{ answered, failed, spent }] = report.teachers;
    expect(report).toMatchObject({ stopped: "budget", queries: answered });
    expect(spent).toBe(60);
    expect(answered + failed).toBe(60);
    expect(failed).toBeGreaterThan(0);
    expect(report.rounds.at(-1)!.unanswered).toBeGreaterThan(0);
    expect(stops.at(-1)!.checkpoint.answers).toHaveLength(answered - 6);

    attempts = 0;
    const roomy = await run(devices.cpu, { ...base, budget: 100, reserve: 40 }, { teacher, stores: undefined });
    expect(roomy.report).toMatchObject({ stopped: "plan", queries: 60 });
    expect(roomy.student).toEqual((await run(devices.cpu, base)).student);
  });
});

describe("images that the teacher never answers", () => {
  it("are left out where told to: the run goes on, resumes, and says how many", async () => {
    const refusing = () => {
      const teacher: Teacher = new BrightnessTeacher();
      const query = teacher.query.bind(teacher);
      teacher.query = async (batch) => {
        const answers = await query(batch);
        return answers.map((answer, image) =>
          Number.parseInt(batch.ids[image].slice(0, 2), 16) < 64 ? new AnswerFault("refused") : answer,
        );
      };
      return teacher;
    };
    const options = { ...base, skipUnanswered: true };
    const whole = await run(devices.cpu, options, { teacher: refusing() });
    const skipped = whole.report.rounds.reduce((sum, round) => sum + round.skipped, 0);
    expect(skipped).toBeGreaterThan(0);
    expect(whole.report).toMatchObject({ stopped: "plan", queries: 60 - skipped });
    expect(whole.report.rounds.every(({ unanswered }) => unanswered === 0)).toBe(true);
    const { checkpoint, events } = whole.stops[1];
    const store = new MemoryStore("brightness");
    await store.append(events);
    const rest = await run(devices.cpu, options, { teacher: refusing(), stores: [store], resume: checkpoint });
    expect(rest.student).toEqual(whole.student);
    // A student that stands still would choose the same again.
    const still: DistillOptions = { ...options, schedule: { kind: "constant", rate: 1e-30 } };
    const stood = await run(devices.cpu, still, { teacher: refusing() });
    const { leftOut } = stood.stops[1].checkpoint;
    expect(leftOut.length).toBeGreaterThan(0);
    const again = new MemoryStore("brightness");
    await again.append(stood.stops[1].events);
    const resumed = { teacher: refusing(), stores: [again], resume: stood.stops[1].checkpoint };
    const end = (await run(devices.cpu, still, resumed)).stops.at(-1)!.checkpoint;
    expect(untimed(end)).toEqual(untimed(stood.stops.at(-1)!.checkpoint));
    expect(new Set(end.leftOut).size).toBe(end.leftOut.length);
    await expect(run(devices.cpu, base, { teacher: refusing() })).rejects.toThrow("gave no answer to query");
  });
});

describe("test images", () => {
  it("are asked about outside the budget, however many they are", async () => {
    const test = { ...drawDigits(70, 2, { size: 12 }), name: "test digits" };
    const teacher = new BrightnessTeacher("paid", 0, serviceManner);
    const store = new MemoryStore(teacher.name);
    const more = { teacher, stores: [store], test, askTest: true };
    const { report } = await run(devices.cpu, { ...base, rounds: 1, steps: 1 }, more);
    expect(report).toMatchObject({ evaluationQueries: 70, queries: 60, teachers: [{ answered: 60, spent: 60 }] });
    expect(store.spending("").answered).toBe(60);
  });
});

describe("several teachers", () => {
  it("answer with their mean, each with a ledger and the whole budget", async () => {
    const teachers = [new BrightnessTeacher("one"), new BrightnessTeacher("two", 3)];
    const stores = teachers.map(({ name }) => new MemoryStore(name));
    const { report, stops } = await run(devices.cpu, base, { teacher: teachers, stores });
    expect(report.teachers).toMatchObject([
      { name: "one", answered: 60, spent: 60 },
      { name: "two", answered: 60, spent: 60 },
    ]);
    expect(stores.map((store) => store.spending("").answered)).toEqual([60, 60]);
    for (const { label } of stops.at(-1)!.checkpoint.answers) {
      const raised = Array.from(label).filter((value) => Math.abs(value - 0.3) < 1e-6);
      expect(raised).toHaveLength(2);
      expect(label.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
    }
  });

  it("stop being asked where one of them fails for good; what was answered until then is kept", async () => {
    const manner = { ...serviceManner, batch: 1, concurrency: 1 };
    const [good, bad] = [new BrightnessTeacher("good", 0, manner), new BrightnessTeacher("bad", 0, manner)];
    const query = good.query.bind(good);
    good.query = async (batch) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return query(batch);
    };
    bad.query = () => Promise.reject(new InputError("401: no such account"));
    const stores = [good, bad].map(({ name }) => new MemoryStore(name));
    const failing = run(devices.cpu, base, { teacher: [good, bad], stores });
    await expect(failing).rejects.toThrow("401: no such account");
    expect(good.shown.length).toBeLessThan(5);
    expect(stores[0].spending("")).toEqual({ answered: good.shown.length, failed: 0, open: 0 });
  });

  it("have the same classes", async () => {
    const other = { ...new BrightnessTeacher("other"), classes: 11, query: () => Promise.resolve([]) };
    const teacher = [new BrightnessTeacher("one"), other];
    await expect(run(devices.cpu, base, { teacher, stores: undefined })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: the teacher one has 10 classes and other 11; their mean needs the same]`,
    );
  });
});

describe("what no run can begin with", () => {
  const attempt = async (more: Partial<DistillInput>) => {
    const teacher = new BrightnessTeacher();
    const student = new Network(devices.cpu, specFor("lenet5-half", all, CLASSES), 0);
    planDistill({ images: all, teacher, student, options: base, ...more });
    student.dispose();
    return Promise.resolve();
  };
  const named = (name: string, classNames: string[]) => Object.assign(new BrightnessTeacher(name), { classNames });
  const names = Array.from({ length: CLASSES }, (_, index) => `class ${index}`);

  it("is refused when the run is planned, before there is a folder or a ledger", async () => {
    const test = { ...drawDigits(5, 2, { size: 12 }), name: "test digits", labels: undefined };
    await expect(attempt({ test, askTest: false })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: --test test digits has no labels, and the teacher is not asked about test images; give labelled images, or let it be asked with --ask-test]`,
    );
    const charges = new BrightnessTeacher("service", 0, serviceManner);
    await expect(attempt({ test, teacher: charges })).rejects.toThrow("test digits has no labels");
    await attempt({ test, teacher: charges, askTest: true });
    await attempt({ test });
    const twins = [new BrightnessTeacher("twin"), new BrightnessTeacher("twin")];
    await expect(attempt({ teacher: twins })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: two teachers are called twin, and their ledgers would be one; ask each teacher once, or name them apart in --teacher-config]`,
    );
    const others = [named("one", names), named("two", [...names].reverse())];
    await expect(attempt({ teacher: others })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: class 0 is "class 0" to the teacher one and "class 9" to two; their mean needs the same classes in the same order]`,
    );
  });
});

describe("statistics", () => {
  it("gives Wilson's interval of a share", () => {
    // Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263.
    const { value, low, high } = estimateShare(81, 263);
    expect(value).toBeCloseTo(0.308, 3);
    expect([low, high].map((bound) => bound!.toFixed(4))).toEqual(["0.2553", "0.3662"]);
    expect(estimateShare(0, 20).low).toBe(0);
    expect(estimateShare(20, 20).high).toBe(1);
  });

  it("gives the interval of a mean, and the divergence of two distributions", () => {
    const { value, low, high } = estimateMean([1, 2, 3, 4]);
    expect(value).toBe(2.5);
    expect(high! - low!).toBeCloseTo(2 * 1.959964 * Math.sqrt(5 / 3 / 4), 12);
    expect(estimateMean([0, 0, 1], 0)).toMatchObject({ low: 0 });
    expect(divergence(Float32Array.of(0.5, 0.5), Float32Array.of(0.5, 0.5))).toBe(0);
    expect(divergence(Float32Array.of(1, 0), Float32Array.of(0.5, 0.5))).toBeCloseTo(Math.log(2), 12);
    expect(divergence(Float32Array.of(1, 0), Float32Array.of(0, 1))).toBeLessThan(100);
  });
});
