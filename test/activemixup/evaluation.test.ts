import { describe, expect, it } from "vitest";
import {
  AnswerFault,
  defaultDistillOptions,
  distill,
  serviceManner,
  specFor,
  type Teacher,
} from "../../src/activemixup/index.js";
import { drawDigits, type ImageSet } from "../../src/data/index.js";
import { Network, Predictor } from "../../src/nn/index.js";
import { useDevices } from "../devices.js";
import { BrightnessTeacher, CLASSES } from "./brightness-teacher.js";

const devices = useDevices();
const COUNT = 40;
const images = { ...drawDigits(20, 1, { size: 12 }), name: "images", labels: undefined };
const test: ImageSet = { ...drawDigits(COUNT, 2, { size: 12 }), name: "test images" };
const size = test.pixels.length / COUNT;
const pixelsOf = (image: number) => test.pixels.subarray(image * size, (image + 1) * size);

/** What the teacher says of each test image, as a class. */
const teacherClasses = Array.from(
  { length: COUNT },
  (_, image) => pixelsOf(image).reduce((a, b) => a + b, 0) % CLASSES,
);

function share(places: readonly number[], same: (image: number) => boolean): number {
  return places.filter(same).length / places.length;
}

/** A run, what it says of its student, and what the student says of the test images. */
async function measure(tested: ImageSet, teacher: Teacher, skipUnanswered = false) {
  const student = new Network(devices.cpu, specFor("lenet5-half", images, CLASSES), 1);
  const options = { ...defaultDistillOptions, budget: 30, rounds: 1, steps: 20, skipUnanswered };
  const report = await distill({ images, test: tested, askTest: true, teacher, student, options });
  const predictor = await Predictor.create(student, COUNT);
  const { labels } = await predictor.predict(test.pixels);
  predictor.dispose();
  student.dispose();
  return { report, score: report.rounds.at(-1)!.test, classes: [...labels] };
}

describe("a student's score on test images", () => {
  const all = Array.from({ length: COUNT }, (_, image) => image);

  it("is how often it says what labels say, and what the teacher says", async () => {
    const { report, score, classes } = await measure(test, new BrightnessTeacher());
    const truth = test.labels!;
    expect(score!.accuracy).toBe(share(all, (image) => classes[image] === truth[image]));
    expect(score!.agreement).toBe(share(all, (image) => classes[image] === teacherClasses[image]));
    expect(report.teacherAccuracy).toBe(share(all, (image) => teacherClasses[image] === truth[image]));
    expect(report.evaluationQueries).toBe(COUNT);
    expect(new Set([score!.accuracy, score!.agreement, 0, 1]).size).toBe(4);
  });

  it("leaves out of agreement, and not of accuracy, what the teacher never answered", async () => {
    const answered = all.filter((image) => image % 3 > 0);
    const left = all.filter((image) => image % 3 === 0).map((image) => pixelsOf(image).join());
    const teacher: Teacher = new BrightnessTeacher("brightness", 0, { ...serviceManner, attempts: 1 });
    const query = teacher.query.bind(teacher);
    teacher.query = async (batch) =>
      (await query(batch)).map((answer, at) =>
        left.includes(batch.pixels.subarray(at * size, (at + 1) * size).join()) ? new AnswerFault("no") : answer,
      );
    const { report, score, classes } = await measure(test, teacher, true);
    expect(report.evaluationQueries).toBe(answered.length);
    expect(score!.agreement).toBe(share(answered, (image) => classes[image] === teacherClasses[image]));
    expect(score!.accuracy).toBe(share(all, (image) => classes[image] === test.labels![image]));
    expect(report.teacherAccuracy).toBe(share(answered, (image) => teacherClasses[image] === test.labels![image]));
  });

  it("is agreement alone where there are no labels", async () => {
    const { report, score, classes } = await measure({ ...test, labels: undefined }, new BrightnessTeacher());
    expect(score).toEqual({ agreement: share(all, (image) => classes[image] === teacherClasses[image]) });
    expect(report.teacherAccuracy).toBeUndefined();
  });
});
