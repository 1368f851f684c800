import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseLabels, parseTeacherSettings } from "../../../src/activemixup/teacher/settings-file.js";
import { resolveVariables } from "../../../src/activemixup/teacher/secrets.js";
import { readLabels, readTeacherSettings } from "../../../src/activemixup/teacher/settings-file.node.js";
import { InputError } from "../../../src/errors.js";
import { temporaryFolder } from "../../data/fixtures.js";

const folder = temporaryFolder();
const SECRET = "hunter2-hunter2";

function message(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as Error).message;
  }
  return "no error";
}
const parse = (settings: unknown) => parseTeacherSettings(JSON.stringify(settings), "teacher.json");
const fault = (settings: unknown) => message(() => parse(settings));

describe("a settings file", () => {
  it("is taken as it stands", async () => {
    const settings = {
      name: "mine",
      classes: 2,
      classNames: ["cat", "dog"],
      asking: { batch: 8, concurrency: 2, requestsPerSecond: 3.5, timeoutSeconds: 20, attempts: 3, backoffSeconds: 0 },
      answer: { form: "top", normalise: true, unknownLabels: "ignore", items: "a", scores: "b", labels: "c", id: "d" },
      http: {
        method: "PUT",
        headers: { authorization: "Bearer ${KEY}", "x-api-key": "${KEY}", accept: "text/plain", "x-version": "3" },
        query: { key: "${KEY}", model: "resnet" },
        image: "png",
        template: { anything: ["$image"] },
      },
      onnx: { input: "x", layout: "NHWC", range: "0-1", mean: [0.5], deviation: [0.5] },
    };
    const file = join(folder.root, "teacher.json");
    writeFileSync(file, `\uFEFF${JSON.stringify(settings)}`);
    expect(await readTeacherSettings(file)).toEqual(settings);
    writeFileSync(file, new Uint8Array([0xff]));
    await expect(readTeacherSettings(file)).rejects.toThrow("is not text in UTF-8; save it as such");
    await expect(readTeacherSettings(join(folder.root, "none"))).rejects.toThrow("cannot be read (ENOENT)");
    await expect(readTeacherSettings(folder.root)).rejects.toThrow(/ is a folder; give the path of a file$/);
  });

  it("is refused with the field, never with what stands in it", () => {
    const faults = [
      message(() => parseTeacherSettings(`{\n"http": ${SECRET}`, "teacher.json")),
      fault([]),
      fault({ clases: 3 }),
      fault({ http: { header: {} } }),
      fault({ asking: { charges: false } }),
      fault({ classes: 1.5 }),
      fault({ classNames: ["a", "b", "a"] }),
      fault({ classes: 3, classNames: ["a"] }),
      fault({ answer: { form: "guess" } }),
      fault({ http: { headers: { authorization: SECRET } } }),
      fault({ http: { headers: { "x-anything": SECRET } } }),
      fault({ http: { headers: { Cookie: `session=${SECRET} \${X}` } } }),
      fault({ http: { headers: { accept: "${NOT CLOSED" } } }),
      fault({ http: { headers: { accept: "a\nb" } } }),
      fault({ http: { headers: { "a b": "${X}" } } }),
      fault({ http: { headers: { "Content-Length": "${X}" } } }),
      fault({ http: { query: { api_key: SECRET } } }),
      fault({ asking: { timeoutSeconds: 1000 } }),
    ];
    expect(faults.join("\n")).toMatchInlineSnapshot(`
      "teacher.json is not JSON; expected a teacher's settings
      teacher.json: the whole is a list; expected an object
      teacher.json: clases is no setting; expected one of name, classes, classNames, asking, answer, http, onnx
      teacher.json: http.header is no setting; expected one of method, headers, query, body, field, image, layout, range, template
      teacher.json: asking.charges is no setting; expected one of batch, concurrency, requestsPerSecond, timeoutSeconds, attempts, backoffSeconds
      teacher.json: classes is a number with a fraction; expected a whole number
      teacher.json: classNames[2] names class 0 again; expected each once
      teacher.json: classes is 3 and classNames names 1; expected a name a class
      teacher.json: answer.form is not known; expected one of probabilities, logits, top, label
      teacher.json: http.headers.authorization may be a secret and stands in the file; write \${NAME} and set the variable NAME
      teacher.json: http.headers.x-anything may be a secret and stands in the file; write \${NAME} and set the variable NAME
      teacher.json: http.headers.Cookie may be a secret and stands in the file; write \${NAME} and set the variable NAME
      teacher.json: http.headers.accept has a \${ that names no variable; expected \${NAME}
      teacher.json: http.headers.accept holds a character that no header can; expected visible ASCII characters
      teacher.json: http.headers.a b is no name of a header
      teacher.json: http.headers.Content-Length is a header that the client sets itself; leave it out
      teacher.json: http.query.api_key may be a secret and stands in the file; write \${NAME} and set the variable NAME
      teacher.json: asking.timeoutSeconds is 1000; expected at most 300"
    `);
    expect(faults.join()).not.toContain("hunter2");
  });

  it("never crashes its reader", () => {
    const fields = [
      "name",
      "classes",
      "classNames",
      "asking",
      "answer",
      "http",
      "headers",
      "query",
      "template",
      "form",
    ];
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue(),
        fc.array(tie("json"), { maxLength: 3 }),
        fc.dictionary(fc.oneof(fc.constantFrom(...fields), fc.string()), tie("json"), { maxKeys: 4 }),
      ),
    }));
    const text = fc.oneof(
      json.map((value) => JSON.stringify(value)),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(text, (text) => {
        try {
          parseTeacherSettings(text, "teacher.json");
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          expect((error as Error).message).toMatch(/^teacher\.json/);
          expect((error as Error).message).not.toContain("\n");
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe("variables", () => {
  it("are looked up when they are needed", () => {
    const values = { authorization: "Bearer ${KEY}", accept: "text/plain", cookie: "a=${A}; b=${KEY}" };
    expect(resolveVariables(values, "teacher.json: http.headers", { KEY: "k", A: "a" })).toEqual({
      values: { authorization: "Bearer k", accept: "text/plain", cookie: "a=a; b=k" },
      secrets: ["k", "a", "k"],
    });
    for (const KEY of [undefined, "", `${SECRET}\n`]) {
      const said = message(() => resolveVariables(values, "teacher.json: http.headers", { KEY }));
      expect(said).toMatch(/^teacher\.json: http\.headers\.authorization.* the environment variable KEY/);
      expect(said).not.toContain("hunter2");
    }
  });
});

describe("a labels file", () => {
  it("holds a name a line", async () => {
    const file = join(folder.root, "labels.txt");
    writeFileSync(file, "tabby cat\r\nGroßer Hund\r\n");
    expect(await readLabels(file)).toEqual(["tabby cat", "Großer Hund"]);
    expect(parseLabels("a\nb", "labels.txt")).toEqual(["a", "b"]);
    expect(message(() => parseLabels("a\n\nb", "labels.txt"))).toBe(
      "labels.txt: line 2 is empty; expected a class's name a line",
    );
    expect(message(() => parseLabels("a\nb\na\n", "labels.txt"))).toBe(
      "labels.txt: line 3 names the class of line 1 again; expected each once",
    );
  });
});
