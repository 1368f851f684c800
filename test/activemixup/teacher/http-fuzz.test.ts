import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerForms, AnswerFault, openHttpTeacher, TeacherFault } from "../../../src/activemixup/index.js";
import { compileAnswers } from "../../../src/activemixup/teacher/http/answers.js";
import { retryAfter } from "../../../src/activemixup/teacher/http/exchange.js";
import { compileTemplate, type Scene } from "../../../src/activemixup/teacher/http/template.js";
import { readQuestion } from "../../../cli/serve/question.js";
import { Refusal } from "../../../cli/serve/refusal.js";
import { InputError } from "../../../src/errors.js";

const paths = ["@", "answers", "id", "scores", "labels", "[].label", "length(@)", "answers[0]", "a.b", "sum(@)", "*"];
const names = ["answers", "id", "scores", "labels", "label", "probabilities", "error", "a", "b"];

/** JSON in which what parsers look for is likely. */
const { likely } = fc.letrec((tie) => ({
  likely: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<unknown>(null, 0, 1, 0.5, -1, 1e308, "NaN", "one", "two", "cat", ""),
    fc.jsonValue(),
    fc.array(tie("likely"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...names), tie("likely"), { maxKeys: 5 }),
  ),
}));

describe("the reader of answers", () => {
  it("gives an answer or a fault an image, whatever comes", () => {
    const path = fc.option(fc.constantFrom(...paths), { nil: undefined });
    const settings = fc.record({ items: path, scores: path, labels: path, id: path, error: path });
    const reading = fc.record({
      form: fc.constantFrom(...answerForms),
      classes: fc.constantFrom(1, 3),
      classNames: fc.constantFrom(undefined, ["cat"], ["cat", "one", "two"]),
    });
    let compiled = 0;
    fc.assert(
      fc.property(settings, reading, likely, (settings, reading, json) => {
        let reader;
        try {
          reader = compileAnswers(settings, reading, "teacher.json: answer");
        } catch (error) {
          // Settings that contradict each other.
          expect(error).toBeInstanceOf(InputError);
          return;
        }
        compiled++;
        try {
          const answers = reader.read(json, ["one", "two"]);
          expect(answers).toHaveLength(2);
          for (const answer of answers) {
            if (answer instanceof AnswerFault) expect(answer.message).toMatch(/^[^\n]{1,300}$/);
            else expect(answer).toHaveLength(reading.classes);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(TeacherFault);
        }
      }),
      { numRuns: 3000 },
    );
    expect(compiled).toBeGreaterThan(1000);
  });

  it("refuses paths that are none", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."ab[]().*@?&|'`\"0:,{} ".split("")), minLength: 1 }), (path) => {
        try {
          compileAnswers({ scores: path }, { form: "logits", classes: 2 }, "teacher.json: answer");
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          expect((error as Error).message).toMatch(/^teacher\.json: answer\.scores .* is no JMESPath: [^\n]*$/);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("a template", () => {
  it("is refused, or filled with each image once and nothing else that begins with a $", () => {
    const { template } = fc.letrec((tie) => ({
      template: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<unknown>("$image", "$image", "$id", "$count", "$width", "$other", "$$image", "text", 1, null),
        fc.array(tie("template"), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom("a", "b", "__proto__"), tie("template"), { maxKeys: 2 }),
      ),
    }));
    const scenes: Scene[] = ["<one>", "<two>"].map((image, at) => ({
      ...{ image, id: `<id ${at}>`, width: 3, height: 4 },
      ...{ channels: 1, count: 2 },
    }));
    let filled = 0;
    fc.assert(
      fc.property(template, (template) => {
        let compiled;
        try {
          compiled = compileTemplate(template, "teacher.json: http.template");
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          return;
        }
        filled++;
        const given = compiled.repeats ? scenes : scenes.slice(0, 1);
        const text = JSON.stringify(compiled.fill(given));
        const before = JSON.stringify(template);
        expect(text.split("<one>").length).toBe(before.split('"$image"').length);
        expect(text.split("<two>").length).toBe(compiled.repeats ? before.split('"$image"').length : 1);
        expect(text.replaceAll('"$image"', "")).not.toMatch(/"\$/);
      }),
      { numRuns: 2000 },
    );
    expect(filled).toBeGreaterThan(100);
  });

  it("says what is wrong with it", () => {
    const fault = (template: unknown) => {
      try {
        compileTemplate(template, "T");
      } catch (error) {
        return (error as Error).message;
      }
      return "no error";
    };
    expect(
      [
        fault({ images: ["$img"] }),
        fault({ images: [] }),
        fault({ a: ["$image"], b: ["$image"] }),
        fault({ a: ["$image"], b: "$image" }),
        fault({ a: ["$image"], b: "$id" }),
        fault([[{ deep: [["$image"]] }, { other: ["$count"] }]]),
      ].join("\n"),
    ).toMatchInlineSnapshot(`
      "T holds "$img"; expected one of $image, $id, $width, $height, $channels, $count (text that starts with a $ is written with two)
      T holds no "$image"; write it where the image goes
      T has $image in 2 arrays of one element; expected it in one
      T has $image outside of the array that is repeated for each image; expected it inside
      T has $id outside of the array that is repeated for each image; expected it inside
      no error"
    `);
  });
});

describe("Retry-After", () => {
  const now = Date.parse("2026-01-02T03:04:05Z");
  it.each([
    ["7", 7],
    [" 0 ", 0],
    ["Fri, 02 Jan 2026 03:05:05 GMT", 60],
    ["Friday, 02-Jan-26 03:04:15 GMT", 10],
    ["Fri, 02 Jan 2026 03:00:00 GMT", 0],
    ["soon", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["", undefined],
  ])("%j is %s", (header, seconds) => {
    expect(retryAfter(header, now)).toBe(seconds);
  });

  it("is a time to wait or nothing", () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        const seconds = retryAfter(header, now);
        expect(seconds === undefined || (seconds >= 0 && seconds < Infinity)).toBe(true);
      }),
    );
  });
});

describe("the server's reader of requests", () => {
  const shape = { channels: 1, height: 2, width: 2 };
  const question = { shape: [1, 2, 2], encoding: "raw", images: [{ id: "a", data: "AAECAw==" }] };

  it("reads or refuses, whatever the bytes are", () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
      // A request of which one field is something else.
      fc
        .tuple(
          fc.constantFrom(
            ["shape"],
            ["encoding"],
            ["images"],
            ["images", "0"],
            ["images", "0", "id"],
            ["images", "0", "data"],
          ),
          likely,
        )
        .map(([path, value]) => {
          const changed = structuredClone(question) as unknown as Record<string, unknown>;
          let at = changed;
          for (const step of path.slice(0, -1)) at = at[step] as Record<string, unknown>;
          at[path.at(-1)!] = value;
          return Buffer.from(JSON.stringify(changed));
        }),
      fc
        .base64String()
        .map((data) => Buffer.from(JSON.stringify({ ...question, encoding: "png", images: [{ id: "a", data }] }))),
    );
    fc.assert(
      fc.property(bytes, (bytes) => {
        try {
          const { ids, pixels } = readQuestion(bytes, shape, 3);
          expect(pixels).toHaveLength(4 * ids.length);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
          expect([400, 413]).toContain((error as Refusal).status);
          expect((error as Error).message).toMatch(/^[^\n]{1,400}$/);
        }
      }),
      { numRuns: 2000 },
    );
    expect(readQuestion(Buffer.from(JSON.stringify(question)), shape, 3)).toEqual({
      ...{ ids: ["a"], pixels: Uint8Array.of(0, 1, 2, 3) },
    });
  });
});

describe("the client", () => {
  it("meets any bytes with a fault of its own", async () => {
    let next: { status: number; body: Uint8Array; type: string; encoding?: string | undefined };
    const server = createServer((request, response) => {
      request.resume().on("end", () => {
        const { status, body, type, encoding } = next;
        response.writeHead(status, { "content-type": type, ...(encoding ? { "content-encoding": encoding } : {}) });
        response.end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const teacher = await openHttpTeacher(`http://127.0.0.1:${port}/`, { settings: { classes: 3 } });
    const batch = { channels: 1, height: 1, width: 1, count: 2, pixels: Uint8Array.of(1, 2), ids: ["one", "two"] };
    const answer = fc.record({
      status: fc.constantFrom(200, 200, 200, 201, 204, 301, 400, 404, 418, 429, 500, 503, 599),
      body: fc.oneof(
        fc.uint8Array(),
        likely.map((json) => Buffer.from(JSON.stringify(json).replaceAll('"NaN"', "NaN"))),
        likely.map((json) => Buffer.from(JSON.stringify({ answers: json }))),
        fc.string({ unit: fc.constantFrom(...'"\\{[NaInfity<style>\n, '.split("")) }).map((text) => Buffer.from(text)),
      ),
      type: fc.constantFrom("application/json", "text/html; charset=utf-16"),
      encoding: fc.option(fc.constantFrom("gzip", "br"), { nil: undefined, freq: 10 }),
    });
    await fc.assert(
      fc.asyncProperty(answer, async (answer) => {
        next = answer;
        try {
          expect(await teacher.query(batch)).toHaveLength(2);
        } catch (error) {
          expect(error instanceof TeacherFault || error instanceof InputError, String((error as Error).stack)).toBe(
            true,
          );
          expect((error as Error).message).toMatch(/^[^\n]{1,500}$/);
        }
      }),
      { numRuns: 300 },
    );
    server.closeAllConnections();
    server.close();
  });
});
