// Adds an acquisition strategy: half of each round's queries go to the images that the student is least sure of, half to
// images by chance. A student is distilled by it on drawn digits. Run: node own-strategy.mjs

import {
  defaultDistillOptions,
  defineStrategy,
  distill,
  fitLabelled,
  LowestScoreAcquisition,
  NetworkTeacher,
  RandomAcquisition,
  ScoreRule,
  specFor,
} from "activemixup/activemixup";
import { drawDigits, sampleImages } from "activemixup/data";
import { Network } from "activemixup/nn";
import { openDevice } from "activemixup/tensor";

defineStrategy("half-and-half", {
  about: "half of them where the student is least sure, half by chance",
  async create(context) {
    const unsure = await LowestScoreAcquisition.create(context, await ScoreRule.create(context, "confidence"));
    const chance = new RandomAcquisition(context);
    return {
      async select(count, round, options) {
        const first = await unsure.select(Math.ceil(count / 2), round, options);
        const taken = new Set(first.map(({ candidate }) => candidate));
        const others = await chance.select(count, round, options);
        return [...first, ...others.filter(({ candidate }) => !taken.has(candidate))].slice(0, count);
      },
      dispose() {
        unsure.dispose();
        chance.dispose();
      },
    };
  },
});

const digits = drawDigits(600, 1, { size: 12 });
const test = drawDigits(300, 2, { size: 12 });
const device = await openDevice("auto");

const network = new Network(device, specFor("lenet5-half", digits, digits.classes), 1);
await fitLabelled(network, digits, { epochs: 6, batch: 50, rate: 3e-3, crop: 1, seed: 1 });
const teacher = await NetworkTeacher.create(network, "digits");

const images = sampleImages(digits, 60, 1); // Their labels are not looked at.
const student = new Network(device, specFor("lenet5-half", images, digits.classes), 2);
const report = await distill({
  images,
  test,
  teacher,
  student,
  options: { ...defaultDistillOptions, budget: 180, rounds: 2, pool: 500, steps: 40, strategy: "half-and-half" },
});
for (const { round, queries, test: score } of report.rounds) {
  console.log(`round ${round}: ${queries} queries, agrees with the teacher on ${(100 * score.agreement).toFixed(1)}%`);
}
student.dispose();
teacher.dispose(); // And its network.
device.destroy();
