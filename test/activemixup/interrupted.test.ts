import { expect, it } from "vitest";
import {
  bestRound,
  defaultDistillOptions,
  distill,
  holdOut,
  localManner,
  specFor,
  type Checkpoint,
  type QueryBatch,
} from "../../src/activemixup/index.js";
import { drawDigits } from "../../src/data/index.js";
import { Network } from "../../src/nn/index.js";
import { useDevices } from "../devices.js";
import { BrightnessTeacher, CLASSES } from "./brightness-teacher.js";

const devices = useDevices();

it("a run that is interrupted while test images are asked about tells what was spent on them", async () => {
  const images = { ...drawDigits(4, 1, { size: 12 }), name: "images", labels: undefined };
  const test = { ...drawDigits(6, 2, { size: 12 }), name: "test images" };
  const student = new Network(devices.cpu, specFor("lenet5-half", images, CLASSES), 1);
  const interrupt = new AbortController();
  // Two images a request: the third request is never made.
  const teacher = new BrightnessTeacher("brightness", 0, { ...localManner, batch: 2, concurrency: 1 });
  const answer = teacher.query.bind(teacher);
  teacher.query = (batch: QueryBatch) => {
    if (teacher.shown.length === 2) interrupt.abort(new Error("enough"));
    return answer(batch);
  };
  const options = { ...defaultDistillOptions, budget: 4, steps: 1 };
  const report = await distill({ images, test, askTest: true, teacher, student, options, signal: interrupt.signal });
  expect(report).toMatchObject({ interrupted: true, queries: 0, rounds: [], evaluationQueries: 0 });
  expect(report.testTeachers).toMatchObject([{ name: "brightness", answered: 4, failed: 0 }]);
  expect(teacher.shown).toHaveLength(4);
  student.dispose();
});

it("a run that is interrupted leaves the student of its best round", async () => {
  const { images, held } = holdOut({ ...drawDigits(24, 1, { size: 12 }), labels: undefined }, 0.25, 5);
  const student = new Network(devices.cpu, specFor("lenet5-half", images, CLASSES), 5);
  const interrupt = new AbortController();
  const checkpoints: Checkpoint[] = [];
  // Each round does worse than the one before: the rate is far too high.
  const schedule = { kind: "constant", rate: 3 } as const;
  const options = { ...defaultDistillOptions, budget: 60, rounds: 4, steps: 3, batch: 8, schedule };
  const teacher = new BrightnessTeacher();
  const report = await distill({
    ...{ images, holdout: held, teacher, student, options, signal: interrupt.signal },
    observer: {
      onRound: (_round, _report, checkpoint) => {
        checkpoints.push(checkpoint);
        return Promise.resolve();
      },
      onProgress: (phase, round) => {
        if (phase === "train" && round === 3) interrupt.abort(new Error("enough"));
      },
    },
  });
  expect(report).toMatchObject({ interrupted: true, keptRound: bestRound(report.rounds)!.round });
  expect(report.keptRound).toBeLessThan(2);
  expect(await student.state()).toEqual(checkpoints[report.keptRound!].student);
  student.dispose();
});
