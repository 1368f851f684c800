import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { answerForms, TeacherFault, type AnswerForm, type TeacherSettings } from "../../../src/activemixup/index.js";
import {
  openExecTeacher,
  type ExecOptions,
  type ExecTeacher,
} from "../../../src/activemixup/teacher/exec/exec-teacher.node.js";
import { InputError } from "../../../src/errors.js";
import { expectedAnswer, ledgerOf, numberedImages } from "./images.js";

const CHILD = fileURLToPath(new URL("exec-child.mjs", import.meta.url));
const TEACHER = fileURLToPath(new URL("../../../src/activemixup/teacher/exec/exec-teacher.node.ts", import.meta.url));
const COUNT = 20;
const fast: TeacherSettings = { asking: { batch: 4, backoffSeconds: 0.01, timeoutSeconds: 20 } };

let folder: string;
/** Of the command that was made last: a file that grows by a byte a request. */
let counter: string;
let counters = 0;
let teachers: ExecTeacher[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "activemixup-exec-"));
  teachers = [];
});

afterEach(async () => {
  await Promise.all(teachers.map((teacher) => teacher.dispose()));
  // The folder's name stands in every command line of a test's processes: none may be left.
  await expect.poll(() => processes(folder), { timeout: 10_000 }).toBe("");
  rmSync(folder, { recursive: true });
});

/** The running processes, and dead ones that nobody waited for, whose command line holds the text. */
function processes(text: string): string {
  const { stdout } = spawnSync("ps", ["-eo", "pid,stat,args"], { encoding: "utf8" });
  const lines = stdout.split("\n").filter((line) => line.includes(text) && !line.includes("ps -eo"));
  return lines.join("\n");
}

/** Requests that the children of the last command have seen. */
function requests(): number {
  return statSync(counter).size;
}

function command(hello: object = {}, faults: object = {}): string {
  counter = join(folder, `requests-${++counters}`);
  const quoted = [hello, faults].map((value) => `'${JSON.stringify(value)}'`);
  return `"${process.execPath}" "${CHILD}" ${quoted.join(" ")} "${counter}"`;
}

async function open(line: string, settings: TeacherSettings = fast, options?: ExecOptions): Promise<ExecTeacher> {
  const teacher = await openExecTeacher(line, settings, options);
  teachers.push(teacher);
  return teacher;
}

function expectAnswers(answers: readonly (Float32Array | string)[]): void {
  expect(answers.length).toBe(COUNT);
  for (const [image, answer] of answers.entries()) {
    for (const [at, value] of expectedAnswer(image).entries()) expect(answer![at]).toBeCloseTo(value, 5);
  }
}

/** One request of 3 images to a teacher of its own. */
async function ask(line: string, settings?: TeacherSettings) {
  const teacher = await open(line, settings);
  const images = numberedImages(3);
  return teacher.query({ ...images, ids: ["a", "b", "c"] });
}

describe("ExecTeacher", () => {
  it("answers what it is asked, in every form", async () => {
    const check = async (form?: AnswerForm) => {
      const [first, second] = (await ask(command({ form }))) as Float32Array[];
      const expected = form === "label" ? [1, 0, 0, 0] : form === "top" ? [0.7, 0.2, 0.05, 0.05] : expectedAnswer(0);
      for (const [at, value] of expected.entries()) expect(first[at]).toBeCloseTo(value, 5);
      expect(second.indexOf(Math.max(...second))).toBe(1);
    };
    await Promise.all([undefined, ...answerForms].map(check));
  });

  it("takes what the hello says, and the user's settings where they are free", async () => {
    const stated = await open(command({ name: "cats", classNames: ["a", "b", "c", "d"], batch: 8 }), {});
    expect(stated).toMatchObject({ name: "exec:cats", classes: 4, classNames: ["a", "b", "c", "d"] });
    expect(stated.manner).toMatchObject({ batch: 8, concurrency: 1, charges: true, timeoutSeconds: 300 });
    const set = await open(command({}), { name: "mine", classNames: ["p", "q", "r", "s"], asking: { batch: 2 } });
    expect(set).toMatchObject({ name: "mine", classNames: ["p", "q", "r", "s"], manner: { batch: 2 } });
    const plain = await open(command({}), {});
    expect(plain.name).toMatch(/^exec:[0-9a-f]{16}$/);
    const read = await open(command({}), { answer: { form: "logits" } });
    expect(read.name).toMatch(/^exec:[0-9a-f]{16} \([0-9a-f]{8}\)$/);
  });

  it("goes on after whatever the command does, and has every answer once", async () => {
    const faults = {
      2: "die",
      3: "kill",
      4: "garbage",
      5: "few",
      6: "short",
      7: "nan",
      9: "oversized",
      10: "stale",
      11: "half",
      12: "error",
      13: "hello",
      14: "oddError",
      15: "twice",
    };
    const settings = { ...fast, asking: { ...fast.asking, attempts: 20 } };
    const teacher = await open(command({}, faults), settings);
    const { ledger } = ledgerOf(teacher);
    expectAnswers(await ledger.query(numberedImages(COUNT)));
    // Ten requests in vain and one image of `nan`, and perhaps the request before which the second of `twice` came late.
    expect([41, 45]).toContain(ledger.spent - COUNT);
    expect(requests()).toBeGreaterThan(15);
  });

  it("counts exactly what may have been charged for", async () => {
    // The second request dies with 4 images, the third is refused without charge.
    const teacher = await open(command({}, { 2: "die", 3: "error" }));
    const { ledger } = ledgerOf(teacher);
    expectAnswers(await ledger.query(numberedImages(COUNT)));
    expect(ledger.spent).toBe(COUNT + 4);
    expect(requests()).toBe(COUNT / 4 + 2);
  });

  it("says what happened, with the end of stderr", async () => {
    const message = (fault: string) =>
      // With `exec`, so that no shell holds the stdout that the process closes.
      ask(`exec ${command({}, { 1: fault })}`).then(
        () => "no error",
        (error: unknown) => {
          expect(error).toBeInstanceOf(TeacherFault);
          expect((error as TeacherFault).charged).toBe(fault !== "error");
          return (error as Error).message;
        },
      );
    const faults = ["die", "garbage", "few", "oversized", "stale", "half", "error", "endStdout"];
    const messages = await Promise.all(faults.map(message));
    expect(Object.fromEntries(faults.map((fault, at) => [fault, messages[at]]))).toMatchInlineSnapshot(`
      {
        "die": "the command exited with code 7; the end of its stderr: request 1: segmentation fault",
        "endStdout": "the command closed its stdout",
        "error": "the GPU is busy",
        "few": "the command broke the protocol: 2 answers; expected 3, one an image",
        "garbage": "the command broke the protocol: "predicti" on stdout, which is no frame; stdout is for frames alone, print to stderr",
        "half": "the command exited with code 0 in the middle of a frame",
        "oversized": "the command broke the protocol: the bytes ff ff ff 7f 03 00 00 00 on stdout, which is no frame of at most 65536 bytes; stdout is for frames alone, print to stderr",
        "stale": "the command broke the protocol: answers to request 0; expected 1",
      }
    `);
    expect(await message("kill")).toMatch(/^the command (was ended by SIGKILL|exited with code 137)$/);
  });

  it("refuses rows that are no probabilities, image by image", async () => {
    const answers = await ask(command({}, { 1: "nan" }));
    expect(answers).toMatchObject([
      { message: "the score of class 1 is NaN; expected a number" },
      { length: 4 },
      { length: 4 },
    ]);
    expect(await ask(command({}, { 1: "short" }))).toMatchObject([
      { message: "3 scores; expected 4, one a class" },
      {},
      {},
    ]);
  });

  it("kills what hangs when its time is over, and asks again", async () => {
    const teacher = await open(command({}, { 2: "hang" }), {
      asking: { ...fast.asking, timeoutSeconds: 2.5 },
    });
    const { ledger } = ledgerOf(teacher);
    expectAnswers(await ledger.query(numberedImages(COUNT)));
    expect(ledger.spent).toBe(COUNT + 4);
  });

  it("passes on stderr line by line", async () => {
    const lines: string[] = [];
    const teacher = await open(command({}, { 1: "stderr" }), fast, { log: (line) => lines.push(line) });
    await teacher.query({ ...numberedImages(1), ids: ["a"] });
    await teacher.dispose();
    expect(lines).toEqual(Array.from({ length: 20 }, (_, line) => `warning ${line}`));
  });

  it("stops the run where the command says that asking again is of no use", async () => {
    await expect(ask(command({}, { 1: "fatal" }))).rejects.toThrow(InputError);
    await expect(ask(command({ name: "m" }, { 1: "fatal" }))).rejects.toThrow("exec:m: the licence has ended");
    await expect(ask(command({ name: "m" }, { 1: "die", start: "again" })).catch(() => again())).rejects.toThrow(
      "exec:m says another hello after a restart",
    );
    function again() {
      return teachers.at(-1)!.query({ ...numberedImages(1), ids: ["a"] });
    }
  });

  it("tries again where the command does not start again, without charge", async () => {
    const teacher = await open(command({}, { 1: "die", start: "once" }), {
      asking: { ...fast.asking, attempts: 3 },
    });
    const { ledger } = ledgerOf(teacher);
    await expect(ledger.query(numberedImages(COUNT))).rejects.toThrow(
      "in 3 attempts: the command, started again, exited with code 4; the end of its stderr: out of memory",
    );
    expect(ledger.spent).toBe(4);
  });

  it("refuses commands that do not become a teacher", async () => {
    const refusal = (line: string, settings: TeacherSettings = fast) =>
      open(line, settings).then(
        () => "no error",
        (error: unknown) => {
          expect(error).toBeInstanceOf(InputError);
          return (error as Error).message.replace(line, "COMMAND");
        },
      );
    const after = { asking: { timeoutSeconds: 0.5 } };
    const refusals = {
      empty: refusal(" "),
      die: refusal(command({}, { start: "die" })),
      print: refusal(command({}, { start: "print" })),
      mute: refusal(command({}, { start: "mute" }), after),
      traceback: refusal(`printf '    load()\\n    ~~~~^^\\nno model\\n' >&2; exit 1`),
      cat: refusal(`true "${folder}"`),
      field: refusal(command({ clases: 3 })),
      classes: refusal(command({ name: "m" }), { classes: 5 }),
      names: refusal(command({ name: "m" }), { classNames: ["a"] }),
      form: refusal(command({ name: "m", form: "logits" }), { answer: { form: "label" } }),
      batch: refusal(command({ name: "m", batch: 8 }), { asking: { batch: 9 } }),
      concurrency: refusal(command({ name: "m" }), { asking: { concurrency: 2 } }),
    };
    const messages = await Promise.all(Object.entries(refusals).map(async ([name, message]) => [name, await message]));
    expect(Object.fromEntries(messages)).toMatchInlineSnapshot(`
      {
        "batch": "exec:m takes at most 8 images at a time; its settings say asking.batch 9: lower that",
        "cat": "exec:COMMAND: the command exited with code 0; it has to say hello in a frame on stdout, and to answer frames on stdin",
        "classes": "exec:m states classes 4, its settings 5; make the two agree",
        "concurrency": "exec:m takes one request at a time; leave asking.concurrency out of its settings",
        "die": "exec:COMMAND: the command exited with code 3; the end of its stderr: no such model: model.joblib; it has to say hello in a frame on stdout, and to answer frames on stdin",
        "empty": "theCOMMANDteacher "exec:" names no command; write exec:COMMAND, in quotes",
        "field": "exec:COMMAND: the command broke the protocol: its hello: Unrecognized key: "clases"; it has to say hello in a frame on stdout, and to answer frames on stdin",
        "form": "exec:m (45810d6a) states answer.form logits, its settings label; make the two agree",
        "mute": "exec:COMMAND: the command said no hello in 0.5 s; it has to say hello in a frame on stdout, and to answer frames on stdin",
        "names": "exec:m has 4 classes, and classNames of its settings, or --labels, names 1; make the two agree",
        "print": "exec:COMMAND: the command broke the protocol: "Loading " on stdout, which is no frame; stdout is for frames alone, print to stderr; it has to say hello in a frame on stdout, and to answer frames on stdin",
        "traceback": "exec:COMMAND: the command exited with code 1; the end of its stderr: load() | no model; it has to say hello in a frame on stdout, and to answer frames on stdin",
      }
    `);
    expect(await refusal(`activemixup-no-such-command "${folder}"`)).toMatch(/exited with code 127; .*not found/);
  });

  it("stops at once when it is told to", async () => {
    const teacher = await open(command({}, { 1: "hang" }));
    const stop = new AbortController();
    const query = teacher.query({ ...numberedImages(1), ids: ["a"] }, stop.signal);
    setTimeout(() => {
      stop.abort(new Error("interrupted"));
    }, 100);
    await expect(query).rejects.toThrow("interrupted");
    const hung = await open(command({}, { always: "hang" }));
    const second = hung.query({ ...numberedImages(1), ids: ["a"] });
    const disposed = hung.dispose();
    await expect(second).rejects.toThrow("was disposed");
    await disposed;
    await expect(hung.query({ ...numberedImages(1), ids: ["a"] })).rejects.toThrow("was disposed");
    await hung.dispose();
  });

  it("ends all that the command started", async () => {
    // A time of its own, by which no other process on this machine sleeps.
    const time = `100${process.pid}`;
    const line = `sleep ${time}1 2>/dev/null & sh -c 'sleep ${time}2; : "${folder}"' & ${command()}; sleep ${time}3`;
    const teacher = await open(line);
    await expect.poll(() => processes(`sleep ${time}`).split("\n").length, { timeout: 10_000 }).toBeGreaterThan(2);
    await teacher.dispose();
    await expect.poll(() => processes(`sleep ${time}`), { timeout: 10_000 }).toBe("");
  });

  it("ends with this program, however that ends", async () => {
    await build({
      configFile: false,
      logLevel: "error",
      ssr: { noExternal: true },
      build: { ssr: TEACHER, outDir: folder, rollupOptions: { output: { entryFileNames: "teacher.mjs" } } },
    });
    const sleep = `sleep 200${process.pid}`;
    const script = `
      import { openExecTeacher } from ${JSON.stringify(join(folder, "teacher.mjs"))};
      await openExecTeacher(${JSON.stringify(`${command()}; ${sleep}`)});
      console.log("ready");`;
    for (const end of ["process.exit(0)", "process.kill(process.pid, 'SIGKILL')"]) {
      const parent = spawn(process.execPath, ["--input-type=module", "-e", `${script}\n${end};`]);
      const [output] = (await once(parent.stdout, "data")) as [Buffer];
      expect(String(output)).toBe("ready\n");
      await once(parent, "close");
      await expect.poll(() => processes(folder) + processes(sleep), { timeout: 10_000 }).toBe("");
    }
  });
});
