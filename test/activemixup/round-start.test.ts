import { describe, expect, it } from "vitest";
import { Committee } from "../../src/activemixup/committee.js";
import { defaultDistillOptions, distill, specFor, type DistillOptions } from "../../src/activemixup/index.js";
import { drawDigits } from "../../src/data/index.js";
import { Examples, Network, type NetworkState } from "../../src/nn/index.js";
import { createTensor } from "../../src/tensor/index.js";
import { expectClose, f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";
import { BrightnessTeacher, CLASSES } from "./brightness-teacher.js";

const devices = useDevices();
const images = { ...drawDigits(12, 1, { size: 12 }), labels: undefined, classes: 0 };
const base: DistillOptions = {
  ...{ ...defaultDistillOptions, strategy: "random", budget: 40, rounds: 3, steps: 4, batch: 8, seed: 5 },
  lambdas: [0.3, 0.5, 0.7],
};

/** A student's weights, what it held when it was given others, and what it was given. */
async function spied(options: Partial<DistillOptions>) {
  const student = new Network(devices.cpu, specFor("lenet5-half", images, CLASSES), 99);
  const first = await student.state();
  const begun: { last: NetworkState; given: NetworkState }[] = [];
  const { state, load } = student;
  let last = first;
  student.state = async () => (last = await state.call(student));
  student.load = (given, source) => {
    begun.push({ last, given });
    load.call(student, given, source);
  };
  await distill({ images, teacher: new BrightnessTeacher(), student, options: { ...base, ...options } });
  const end = await state.call(student);
  student.dispose();
  return { first, begun, end };
}

describe("a round after the first begins", () => {
  it("where the last one ended", async () => {
    const { begun } = await spied({});
    expect(begun).toEqual([]);
  });

  it("from the same weights as the first with restart", async () => {
    const { first, begun } = await spied({ restart: true });
    expect(begun.map(({ given }) => given)).toEqual([first, first, first]);
  });

  it("between the two with shrink", async () => {
    const { first, begun } = await spied({ shrink: 0.25 });
    expect(begun).toHaveLength(3);
    for (const { last, given } of begun) {
      expect([...given.keys()]).toEqual([...first.keys()]);
      for (const [name, { data }] of given) {
        const [from, to] = [first, last].map((values) => values.get(name)!.data);
        const wanted = Float32Array.from(data, (_, index) => 0.75 * from[index] + 0.25 * to[index]);
        expectClose(data, wanted, f32Tolerance());
      }
    }
  });

  it("so for a committee too", async () => {
    const { cpu } = devices;
    const { channels, height, width, pixels } = images;
    const shape = [12, channels, height, width];
    const real = createTensor(cpu, shape, { dtype: "u8", data: pixels, name: "real" });
    const examples = new Examples(cpu, real, 1, CLASSES);
    examples.set([{ first: 0, second: 0, weight: 65536 }], new Float32Array(CLASSES).fill(1 / CLASSES));
    const student = new Network(cpu, specFor("lenet5-half", images, CLASSES), 0);
    const committee = await Committee.create(student, { ...base, committee: 2, budget: 40, restart: true });
    const [network] = committee.networks;
    const first = await network.state();
    network.initialise(7);
    const other = await network.state();
    // A step that moves nothing: what is left is where it began.
    const still = { steps: 1, schedule: { kind: "constant", rate: 1e-30 } } as const;
    await committee.train(0, examples, still);
    expect(await network.state()).toEqual(other);
    await committee.train(1, examples, still);
    expect(await network.state()).toEqual(first);
    for (const part of [committee, student, examples, real]) part.dispose();
  });

  it("as restart and as nothing have it at the ends of shrink, which has no others", async () => {
    const after = async (options: Partial<DistillOptions>) => (await spied(options)).end;
    const [goesOn, anew] = [await after({}), await after({ restart: true })];
    expect(await after({ shrink: 0 })).toEqual(anew);
    expect(await after({ shrink: 1 })).toEqual(goesOn);
    expect(await after({ shrink: 0.25 })).not.toEqual(goesOn);
    expect(anew).not.toEqual(goesOn);
    for (const shrink of [-0.1, 1.5, NaN]) {
      await expect(after({ shrink })).rejects.toThrow(`--shrink is ${shrink}; expected a share from 0 to 1`);
    }
  });
});
