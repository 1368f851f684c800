import { expect, it } from "vitest";
import { defaultDistillOptions, distill, localManner, specFor, type QueryBatch } from "../../src/activemixup/index.js";
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
