import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AnswerFault,
  answerForms,
  checkAnswer,
  readAnswer,
  type AnswerReading,
  type RawAnswer,
} from "../../../src/activemixup/index.js";

const names = ["cat", "dog", "eel"];
const three = (more: Partial<AnswerReading> = {}): AnswerReading => ({ form: "probabilities", classes: 3, ...more });
const read = (raw: RawAnswer, more: Partial<AnswerReading> = {}) => {
  const answer = readAnswer(raw, three(more));
  return answer instanceof AnswerFault ? answer.message : Array.from(answer, (value) => Number(value.toFixed(4)));
};

describe("readAnswer", () => {
  it("takes probabilities as they are, or by label in any order", () => {
    expect(read({ scores: [0.2, 0.3, 0.5] })).toEqual([0.2, 0.3, 0.5]);
    expect(read({ scores: new Float32Array([0.25, 0.25, 0.5]) })).toEqual([0.25, 0.25, 0.5]);
    expect(read({ scores: [0.2, 0.3, 0.5], labels: ["eel", "cat", 1] }, { classNames: names })).toEqual([
      0.3, 0.5, 0.2,
    ]);
    expect(read({ scores: [20, 30, 50] }, { normalise: true })).toEqual([0.2, 0.3, 0.5]);
  });

  it("takes the softmax of logits of any size", () => {
    expect(read({ scores: [0, Math.log(3), 0] }, { form: "logits" })).toEqual([0.2, 0.6, 0.2]);
    expect(read({ scores: [-1e308, 1e308, 1e308] }, { form: "logits" })).toEqual([0, 0.5, 0.5]);
  });

  it("spreads what the top labels leave over the other classes", () => {
    expect(read({ scores: [0.6], labels: [1] }, { form: "top" })).toEqual([0.2, 0.6, 0.2]);
    expect(read({ scores: [0.75, 0.25], labels: ["eel", "cat"] }, { form: "top", classNames: names })).toEqual([
      0.25, 0, 0.75,
    ]);
    expect(read({ scores: [0.9, 0.9], labels: [0, 2] }, { form: "top", normalise: true })).toEqual([0.5, 0, 0.5]);
    const ignoring = { form: "top", classNames: names, unknownLabels: "ignore" } as const;
    expect(read({ scores: [0.3, 0.6], labels: ["pet", "dog"] }, ignoring)).toEqual([0.2, 0.6, 0.2]);
  });

  it("makes one label certain", () => {
    expect(read({ labels: 2 }, { form: "label" })).toEqual([0, 0, 1]);
    expect(read({ labels: ["dog"] }, { form: "label", classNames: names })).toEqual([0, 1, 0]);
    const cranes = { form: "label", classNames: ["crane", "dog", "crane"] } as const;
    expect(read({ labels: "dog" }, cranes)).toEqual([0, 1, 0]);
    expect(read({ labels: 2 }, cranes)).toEqual([0, 0, 1]);
    expect(read({ labels: "crane" }, cranes)).toBe(
      'the label "crane", the name of several classes; expected a class\'s number',
    );
  });

  it("says what it found and what it expected", () => {
    const top = { form: "top", classNames: names } as const;
    const faults = [
      read({}),
      read({ scores: "many" }),
      read({ scores: [0.5, 0.5] }),
      read({ scores: [0.5, 0.5, null] }),
      read({ scores: [0.5, 0.5, NaN] }),
      read({ scores: [0.5, -0.5, 1] }),
      read({ scores: [50, 30, 20] }),
      read({ scores: [0, 0, 0] }, { normalise: true }),
      read({ scores: [0.5, 0.5], labels: [0, 1] }),
      read({ scores: [1, Infinity, 0] }, { form: "logits" }),
      read({ scores: [0.5] }, top),
      read({ scores: [], labels: [] }, top),
      read({ scores: [0.5, 0.2], labels: ["cat"] }, top),
      read({ scores: [0.5, 0.2], labels: ["cat", "cat"] }, top),
      read({ scores: [0.5, 0.2], labels: ["cat", 0] }, top),
      read({ scores: [0.9, 0.9], labels: ["cat", "dog"] }, top),
      read({ scores: [0.9], labels: ["pet"] }, top),
      read({ scores: [0.9], labels: ["pet"] }, { ...top, unknownLabels: "ignore" }),
      read({ scores: [0.9], labels: ["cat"] }, { form: "top" }),
      read({ scores: [0.9], labels: [3] }, top),
      read({ scores: [0.9], labels: [{ id: 1 }] }, top),
      read({}, { form: "label" }),
      read({ labels: [0, 1] }, { form: "label" }),
      read({ labels: "a name\nthat is long and runs over two lines of text" }, { form: "label", classNames: names }),
    ];
    expect(faults.join("\n")).toMatchInlineSnapshot(`
      "no scores
      scores are "many"; expected a list
      2 scores; expected 3, one a class
      the score of class 2 is null; expected a number
      the score of class 2 is NaN; expected a number
      the score of class 1 is -0.5; expected 0 or more
      the score of class 0 is 50; expected at most 1 (\`normalise\` divides scores by their sum)
      scores that sum to 0; expected a sum above 0
      no score of class 2; expected one of each of 3 classes
      the score of class 1 is Infinity; expected a number
      no labels; expected one a score
      no labels; expected at least one
      1 labels and 2 scores; expected one score a label
      class 0 twice ("cat"); expected each class once
      class 0 twice (0); expected each class once
      scores that sum to 1.8; expected at most 1 (\`normalise\` divides scores by their sum)
      the label "pet"; expected one of the 3 class names
      no label of a known class, the first is "pet"; expected at least one
      the label "cat" and no names of classes; give them (\`classNames\`)
      the label 3; expected a class from 0 to 2
      the label an object; expected a class's number or name
      the label undefined; expected a class's number or name
      2 labels; expected one
      the label "a name\\nthat is long and runs over two…; expected one of the 3 class names"
    `);
  });

  it("gives probabilities or a fault, whatever a teacher says", () => {
    const value = fc.oneof(fc.double(), fc.constantFrom(0.1, 0.5, 1), fc.anything());
    const label = fc.oneof(fc.integer({ min: -1, max: 4 }), fc.constantFrom(...names, "pet"), fc.anything());
    const lists = <T>(of: fc.Arbitrary<T>) => fc.oneof(fc.array(of, { maxLength: 4 }), fc.anything());
    const raw = fc.record({ scores: lists(value), labels: lists(label) }, { requiredKeys: [] });
    const reading = fc.record({
      form: fc.constantFrom(...answerForms),
      classes: fc.constant(3),
      classNames: fc.constantFrom(undefined, names),
      normalise: fc.boolean(),
      unknownLabels: fc.constantFrom("refuse" as const, "ignore" as const),
    });
    fc.assert(
      fc.property(raw, reading, (raw, reading) => {
        const answer = readAnswer(raw, reading);
        if (answer instanceof AnswerFault) expect(answer.message).toMatch(/^[^\n]{1,200}$/);
        else expect(answer).toHaveLength(3);
        // What passes the ledger's check is a distribution.
        const checked = checkAnswer(answer, 3);
        if (checked instanceof AnswerFault) return;
        for (const share of checked) expect(share >= 0 && share <= 1.001).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("keeps every distribution that a teacher gives as probabilities, logits, or a full top list", () => {
    const scores = fc.array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(scores, (scores) => {
        const sum = scores.reduce((total, score) => total + score, 0);
        const shares = scores.map((score) => score / sum);
        for (const answer of [
          readAnswer({ scores: shares }, three()),
          readAnswer({ scores }, three({ normalise: true })),
          readAnswer({ scores: scores.map((score) => Math.log(score)) }, three({ form: "logits" })),
          readAnswer({ scores: shares, labels: [0, 1, 2] }, three({ form: "top" })),
        ]) {
          expect(answer).toBeInstanceOf(Float32Array);
          shares.forEach((share, at) => {
            expect((answer as Float32Array)[at]).toBeCloseTo(share, 6);
          });
        }
      }),
    );
  });
});
