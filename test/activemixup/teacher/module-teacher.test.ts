import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openModuleTeacher, TeacherFault, type TeacherSettings } from "../../../src/activemixup/index.js";
import { InputError } from "../../../src/errors.js";
import { expectedAnswer, ledgerOf, numberedImages } from "./images.js";

let folder: string;
let modules = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "activemixup-module-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A module's file, of a name of its own, since Node loads each once. */
function save(source: string): string {
  const path = join(folder, `teacher-${++modules}.mjs`);
  writeFileSync(path, source);
  return path;
}

/** Answers image number n with 0.7 for class n mod 4. */
const ANSWERS = `
const row = (pixel) => Array.from({ length: 4 }, (_, at) => (at === pixel % 4 ? 0.7 : 0.1));
const answers = ({ count, pixels }) => Array.from({ length: count }, (_, image) => row(pixels[image * pixels.length / count]));
`;

const images = numberedImages(10);
const batch = { ...images, ids: Array.from({ length: 10 }, (_, image) => `id ${image}`) };

async function expectAnswers(source: string, settings?: TeacherSettings): Promise<void> {
  const teacher = await openModuleTeacher(save(ANSWERS + source), settings);
  const answers = await ledgerOf(teacher).ledger.query(images);
  expect(answers.length).toBe(10);
  for (const [image, answer] of answers.entries()) {
    for (const [at, value] of expectedAnswer(image).entries()) expect(answer![at]).toBeCloseTo(value, 5);
  }
}

describe("ModuleTeacher", () => {
  it("takes answers in every form, at once or later", async () => {
    await expectAnswers("export const classes = 4; export const query = answers;");
    await expectAnswers(
      "export const classes = 4; export const query = async (b) => answers(b).map((one) => Float32Array.from(one));",
    );
    await expectAnswers(`export const classes = 4; export const form = "logits";
      export const query = (b) => answers(b).map((one) => one.map(Math.log));`);
    await expectAnswers(`export const classNames = ["a", "b", "c", "d"]; export const form = "top";
      export const query = (b) => answers(b).map((one) => ({ labels: [classNames[one.indexOf(0.7)]], scores: [0.7] }));`);
    await expectAnswers(`export const query = (b) => answers(b);`, { classes: 4 });
    const teacher = await openModuleTeacher(
      save(`${ANSWERS} export const classes = 4; export const form = "label";
        export const query = (b) => answers(b).map((one) => one.indexOf(0.7));`),
    );
    expect(await teacher.query(batch)).toMatchObject(
      Array.from({ length: 10 }, (_, image) => Array.from({ length: 4 }, (_, at) => (at === image % 4 ? 1 : 0))).map(
        (row) => Float32Array.from(row),
      ),
    );
  });

  it("takes its manner and name from the module, and the user's changes over it", async () => {
    const source = `export const classes = 2; export const manner = { batch: 3, concurrency: 2 }; export const query = () => [];`;
    const plain = await openModuleTeacher(save(source));
    expect(plain.manner).toMatchObject({ batch: 3, concurrency: 2, attempts: 8, charges: true });
    expect(plain.name).toMatch(/^module:teacher-\d+\.mjs:[0-9a-f]{16}$/);
    const other = await openModuleTeacher(save(`${source}//`));
    expect(other.name.split(":")[2]).not.toBe(plain.name.split(":")[2]);
    const named = await openModuleTeacher(save(`${source} export const name = "sky";`), { asking: { batch: 5 } });
    expect(named).toMatchObject({ name: "sky", manner: { batch: 5, concurrency: 2 } });
    expect((await openModuleTeacher(save(source), { name: "mine" })).name).toBe("mine");
  });

  it("repeats what threw, as the error says", async () => {
    const path = save(`${ANSWERS} export const classes = 4; export const manner = { batch: 5, backoffSeconds: 0.01 };
      let calls = 0;
      export function query(b) {
        calls++;
        if (calls === 1) throw new Error("the line was cut");
        if (calls === 2) throw Object.assign(new Error("slower, please"), { retryAfter: 0.2, charged: false });
        return answers(b);
      }`);
    const teacher = await openModuleTeacher(path);
    const begin = performance.now();
    const { ledger } = ledgerOf(teacher);
    expect((await ledger.query(images)).every((answer) => answer)).toBe(true);
    expect(ledger.spent).toBe(15);
    expect(performance.now() - begin).toBeGreaterThan(195);
  });

  it("says what was thrown, and stops where it is fatal", async () => {
    const fault = async (body: string) => {
      const teacher = await openModuleTeacher(
        save(`export const name = "m"; export const classes = 4; export async function query(b) { ${body} }`),
      );
      return teacher.query(batch).then(
        () => new Error("no error"),
        (error: unknown) => error as TeacherFault,
      );
    };
    expect(await fault("throw new TypeError('no network')")).toMatchObject({ message: "no network", charged: true });
    expect(await fault("throw 'a text'")).toMatchObject({ message: "a text", charged: true });
    expect(await fault("throw undefined")).toMatchObject({ message: "undefined", charged: true });
    expect(await fault("throw { message: 'm', retryAfter: 'soon' }")).toMatchObject({ retryAfter: undefined });
    expect(await fault("return")).toMatchObject({
      message: "query() gave undefined; expected a list, one answer an image",
    });
    const fatal = await fault("throw Object.assign(new Error('no key'), { fatal: true })");
    expect(fatal).toBeInstanceOf(InputError);
    expect(fatal.message).toBe("m: no key");
  });

  it("refuses answers that are none, each by itself", async () => {
    const teacher = await openModuleTeacher(
      save(
        `export const classes = 2; export const query = () => [[0.5, 0.5], [1], null, "x", {}, { scores: [1, NaN] }];`,
      ),
    );
    expect(await teacher.query(batch)).toMatchObject([
      Float32Array.of(0.5, 0.5),
      { message: "1 scores; expected 2, one a class" },
      { message: "no scores" },
      { message: 'scores are "x"; expected a list' },
      { message: "scores are an object; expected a list" },
      { message: "the score of class 1 is NaN; expected a number" },
    ]);
    const { ledger } = ledgerOf(
      await openModuleTeacher(
        save(`export const classes = 2;
      export const manner = { attempts: 1 }; export const query = () => [[0.5, 0.5]];`),
      ),
    );
    await expect(ledger.query(images)).rejects.toThrow("1 answers to 10 images");
  });

  it("stops waiting when it is told to, and tells the module", async () => {
    const teacher = await openModuleTeacher(
      save(`export const classes = 2; export let heard = false; export let closed = 0;
        export const query = (b, signal) => new Promise(() => signal.addEventListener("abort", () => (globalThis.heard = true)));
        export const close = () => { globalThis.closed = true; };`),
    );
    const stop = new AbortController();
    const query = teacher.query(batch, stop.signal);
    stop.abort(new Error("interrupted"));
    await expect(query).rejects.toThrow("interrupted");
    expect(globalThis).toMatchObject({ heard: true });
    expect(globalThis).not.toHaveProperty("closed");
    await teacher.dispose();
    expect(globalThis).toMatchObject({ closed: true });
  });

  it("refuses modules that are no teacher", async () => {
    const refusal = async (source: string, settings?: TeacherSettings) => {
      const path = save(source);
      const error: unknown = await openModuleTeacher(path, settings).then(
        () => new Error("no error"),
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(InputError);
      return (error as Error).message.replaceAll(path, "PATH").replace(/teacher-\d+\.mjs:\w+/, "NAME");
    };
    const query = "export const query = () => [];";
    expect({
      empty: await refusal(""),
      noQuery: await refusal("export const classes = 3;"),
      notCallable: await refusal("export const query = 3; export const classes = 3;"),
      noClasses: await refusal(query),
      classes: await refusal(`${query} export const classes = "ten";`),
      names: await refusal(`${query} export const classes = 3; export const classNames = ["a"];`),
      form: await refusal(`${query} export const classes = 3; export const form = "numbers";`),
      manner: await refusal(`${query} export const classes = 3; export const manner = { bach: 3 };`),
      batch: await refusal(`${query} export const classes = 3; export const manner = { batch: 0 };`),
      settings: await refusal(`${query} export const classes = 3;`, { classes: 4 }),
      named: await refusal(`${query} export const classNames = ["a", "b"];`, { classNames: ["a", "b", "c"] }),
      order: await refusal(`${query} export const classNames = ["a", "b", "c"];`, { classNames: ["a", "c", "b"] }),
      namedOtherwise: await refusal(`${query} export const classNames = ["a", "b"];`, { classes: 3 }),
      unheeded: await refusal(query, { answer: { items: "answers" } }),
      ofAnother: await refusal(query, { onnx: {} }),
      throws: await refusal("throw new Error('no model');"),
    }).toMatchInlineSnapshot(`
      {
        "batch": "module:PATH: its export manner.batch: Too small: expected number to be >=1; it has to export query(batch) and classes or classNames",
        "classes": "module:PATH: its export classes: Invalid input: expected number, received string; it has to export query(batch) and classes or classNames",
        "empty": "module:PATH: its export query(batch): expected a function; it has to export query(batch) and classes or classNames",
        "form": "module:PATH: its export form: Invalid option: expected one of "probabilities"|"logits"|"top"|"label"; it has to export query(batch) and classes or classNames",
        "manner": "module:PATH: its export manner: Unrecognized key: "bach"; it has to export query(batch) and classes or classNames",
        "named": "module:NAME has 2 classes, and classNames of its settings, or --labels, names 3; make the two agree",
        "namedOtherwise": "module:NAME states classes 2, its settings 3; make the two agree",
        "names": "module:NAME states 3 classes and names 1; make the two agree",
        "noClasses": "module:NAME does not tell its number of classes; set classes or classNames in its settings",
        "noQuery": "module:PATH: its export query(batch): expected a function; it has to export query(batch) and classes or classNames",
        "notCallable": "module:PATH: its export query(batch): expected a function; it has to export query(batch) and classes or classNames",
        "ofAnother": "module:PATH: its settings hold onnx, which says nothing to a teacher of this kind; leave it out, or give each teacher a --teacher-config of its own",
        "order": "module:NAME calls class 1 "b", and classNames of its settings, or --labels, "c": its own names in another order; take its order, or leave the names out",
        "settings": "module:NAME states classes 3, its settings 4; make the two agree",
        "throws": "module:PATH: cannot be loaded: no model",
        "unheeded": "module:PATH: its settings hold answer.items, which says nothing to a teacher of this kind; leave it out, or give each teacher a --teacher-config of its own",
      }
    `);
    await expect(openModuleTeacher(save("export const const = 3;"))).rejects.toThrow(/^module:.*: cannot be loaded: /);
    await expect(openModuleTeacher(join(folder, "none.mjs"))).rejects.toThrow(
      /cannot be read: ENOENT.*; check the path$/,
    );
  });
});
