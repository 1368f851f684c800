import { describe, expect, it } from "vitest";
import {
  AnswerFault,
  holdOut,
  serviceManner,
  shownPixels,
  type DistillOptions,
  type Teacher,
} from "../../src/activemixup/index.js";
import { useDevices } from "../devices.js";
import { BrightnessTeacher } from "./brightness-teacher.js";
import { all, base, composed, run } from "./held-out-run.js";

const devices = useDevices();

describe("each answer that is trained on", () => {
  /** What BrightnessTeacher says of an image. */
  const answerTo = async (pixels: Uint8Array) =>
    (await new BrightnessTeacher().query({ ...all, count: 1, pixels, ids: [""] }))[0];
  /** Answers nothing about some images, by their identity, and fails at times as the budget ends. */
  const faulty = (failing: boolean) => {
    const manner = { ...serviceManner, batch: 5, concurrency: 2, attempts: 2, backoffSeconds: 0 };
    const teacher: Teacher = new BrightnessTeacher("brightness", 0, manner);
    const query = teacher.query.bind(teacher);
    teacher.query = async (batch) =>
      (await query(batch)).map((answer, image) =>
        failing && Number.parseInt(batch.ids[image].slice(0, 2), 16) < 48 ? new AnswerFault("refused") : answer,
      );
    return teacher;
  };

  it.each<[string, DistillOptions, boolean]>([
    ["by chance", { ...base, strategy: "random" }, false],
    ["by confidence", base, false],
    ["among compositions", composed, false],
    ["with images left out, and the budget at an end", { ...base, skipUnanswered: true }, true],
    ["among compositions, with images left out", { ...composed, skipUnanswered: true }, true],
  ])("is that to its own image, %s", async (_, options, failing) => {
    const { stops, report } = await run(devices.cpu, options, { teacher: faulty(failing) });
    const { images } = holdOut(all, 0.25, options.seed);
    const { answers } = stops.at(-1)!.checkpoint;
    const pixels = shownPixels(images, answers, options);
    const size = pixels.length / answers.length;
    for (const [index, { label }] of answers.entries()) {
      expect(label).toEqual(await answerTo(pixels.subarray(index * size, (index + 1) * size)));
    }
    expect(new Set(answers.map(({ label }) => label.indexOf(Math.max(...label)))).size).toBeGreaterThan(3);
    if (!failing) return;
    const missing = report.rounds.map(({ skipped, unanswered }) => [skipped, unanswered]);
    expect(Math.max(...missing.map(([skipped]) => skipped))).toBeGreaterThan(0);
    expect(Math.max(...missing.map(([, unanswered]) => unanswered))).toBeGreaterThan(0);
  });
});
