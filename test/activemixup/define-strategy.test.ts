import { expect, it } from "vitest";
import {
  defineStrategy,
  findStrategy,
  RandomAcquisition,
  type AcquisitionContext,
} from "../../src/activemixup/index.js";

it("defineStrategy makes a strategy known once, beside those of the project", () => {
  expect(() => findStrategy("chance")).toThrow(/^no strategy is called "chance"; choose one of confidence, /);
  const entry = {
    about: "by chance",
    create: (context: AcquisitionContext) => Promise.resolve(new RandomAcquisition(context)),
  };
  defineStrategy("chance", entry);
  expect(findStrategy("chance")).toBe(entry);
  for (const name of ["chance", "badge"]) {
    expect(() => {
      defineStrategy(name, entry);
    }).toThrow(`defineStrategy: there is a strategy "${name}" already; choose another name`);
  }
});
