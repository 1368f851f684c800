import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { AnswerFault, openHttpTeacher, type QueryBatch, type TeacherSettings } from "../../../src/activemixup/index.js";
import { parseTeacherSettings } from "../../../src/activemixup/teacher/settings-file.js";
import { decodePng } from "../../../src/data/png.node.js";
import { InputError } from "../../../src/errors.js";

/** The example of a settings file under a heading of docs/teachers.md. */
function documented(heading: string): string {
  const page = readFileSync(new URL("../../../docs/teachers.md", import.meta.url), "utf8");
  const section = page.split(/^#### /m).find((part) => part.startsWith(`${heading}\n`));
  const example = /```json\n([^]*?)```/.exec(section ?? "")?.[1];
  if (example === undefined) throw new Error(`docs/teachers.md has no example under "${heading}"`);
  return example;
}

interface Seen {
  readonly headers: IncomingMessage["headers"];
  readonly url: string;
  readonly body: Buffer;
}

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

/** A little server: what it is asked, and the teacher that the documentation's example makes of it. */
async function api(heading: string, answer: (seen: Seen) => unknown) {
  const seen: Seen[] = [];
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const asked = { headers: request.headers, url: request.url!, body: Buffer.concat(parts) };
      seen.push(asked);
      response.end(JSON.stringify(answer(asked)));
    });
  });
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const teacher = await openHttpTeacher(`http://127.0.0.1:${port}/v1/model`, {
    settings: parseTeacherSettings(documented(heading), "teacher.json"),
    environment: { API_TOKEN: "planted-token", HF_TOKEN: "planted-token", VISION_KEY: "planted-key" },
  });
  const ask = async (batch: QueryBatch) =>
    (await teacher.query(batch)).map((answer) =>
      answer instanceof AnswerFault ? answer.message : Array.from(answer, (value) => Number(value.toFixed(4))),
    );
  return { teacher, ask, seen };
}

/** Images of 2 × 2 in red, green and blue. */
const batch = (count: number): QueryBatch => ({
  ...{ channels: 3, height: 2, width: 2, count },
  pixels: Uint8Array.from({ length: 12 * count }, (_, at) => at),
  ids: Array.from({ length: count }, (_, at) => `id-${at}`),
});

describe("the documented settings fit", () => {
  it("TensorFlow Serving", async () => {
    const { teacher, ask, seen } = await api("TensorFlow Serving", ({ body }) => {
      const { instances } = JSON.parse(body.toString()) as { instances: number[][][][] };
      // One class a channel: the share of its first pixel.
      return { predictions: instances.map(([[pixel]]) => [...pixel, 0].map((value) => value * 10)) };
    });
    expect(teacher).toMatchObject({ classes: 4, manner: { batch: 32 } });
    const answers = await ask(batch(2));
    const { instances } = JSON.parse(seen[0].body.toString()) as { instances: number[][][][] };
    expect(instances).toHaveLength(2);
    // Rows of pixels of channels, from 0 to 1.
    expect(instances[0].flat(2).map((value) => Math.round(value * 255))).toEqual([
      0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11,
    ]);
    const powers = [0, 40 / 255, 80 / 255, 0].map(Math.exp);
    const sum = powers.reduce((total, power) => total + power, 0);
    expect(answers[0]).toEqual(powers.map((power) => Number((power / sum).toFixed(4))));
  });

  it("KServe and Triton", async () => {
    const { ask, seen } = await api("KServe and Triton", ({ body }) => {
      const [{ shape }] = (JSON.parse(body.toString()) as { inputs: { shape: number[] }[] }).inputs;
      const data = Array.from({ length: shape[0] }, (_, at) => [0.1 + at / 10, 0.9 - at / 10, 0, 0]).flat();
      return { model_name: "m", outputs: [{ name: "probabilities", datatype: "FP32", shape: [shape[0], 4], data }] };
    });
    expect(await ask(batch(3))).toEqual([
      [0.1, 0.9, 0, 0],
      [0.2, 0.8, 0, 0],
      [0.3, 0.7, 0, 0],
    ]);
    expect(await ask(batch(1))).toEqual([[0.1, 0.9, 0, 0]]);
    const { inputs } = JSON.parse(seen[0].body.toString()) as { inputs: { shape: number[]; data: unknown[] }[] };
    expect(inputs[0]).toMatchObject({ name: "input", datatype: "FP32", shape: [3, 3, 2, 2] });
    expect(inputs[0].data.flat(3)).toEqual(Array.from(batch(3).pixels));
  });

  it("Hugging Face inference", async () => {
    const { teacher, ask, seen } = await api("Hugging Face inference", () => [
      { label: "lynx", score: 0.7 },
      { label: "tabby cat", score: 0.1 },
    ]);
    expect(teacher.manner.batch).toBe(1);
    expect(await ask(batch(1))).toEqual([[0.1, 0.1, 0.7, 0.1]]);
    expect(seen[0].headers).toMatchObject({ authorization: "Bearer planted-token", "content-type": "image/png" });
    const { pixels } = decodePng(Uint8Array.from(seen[0].body), "body");
    expect(pixels).toEqual(batch(1).pixels);
  });

  it("Google Cloud Vision", async () => {
    const { ask, seen } = await api("Google Cloud Vision", ({ body }) => {
      const { requests } = JSON.parse(body.toString()) as { requests: unknown[] };
      const responses = [
        {
          labelAnnotations: [
            { description: "Cat", score: 0.9 },
            { description: "Whiskers", score: 0.8 },
          ],
        },
        { error: { code: 3, message: "Bad image data." } },
        {
          labelAnnotations: [
            { description: "Dog", score: 0.6 },
            { description: "Cat", score: 0.6 },
          ],
          // No message is no fault.
          error: { code: 0, message: "" },
        },
        { labelAnnotations: [] },
        {},
      ];
      return { responses: responses.slice(0, requests.length) };
    });
    expect(await ask(batch(5))).toEqual([
      [1, 0, 0, 0],
      "the teacher says: Bad image data.",
      [0.5, 0.5, 0, 0],
      "no labels; expected at least one",
      "no scores",
    ]);
    expect(seen[0].url).toBe("/v1/model?key=planted-key");
    const { requests } = JSON.parse(seen[0].body.toString()) as { requests: { image: { content: string } }[] };
    expect(requests).toHaveLength(5);
    expect(requests[1]).toMatchObject({ features: [{ type: "LABEL_DETECTION", maxResults: 10 }] });
    const { pixels } = decodePng(Uint8Array.from(Buffer.from(requests[1].image.content, "base64")), "content");
    expect(pixels).toEqual(batch(2).pixels.slice(12));
  });

  it("an upload form", async () => {
    const { ask, seen } = await api("An upload form", () => ({ result: { class: "dog" } }));
    expect(await ask(batch(1))).toEqual([[0, 1, 0, 0]]);
    expect(seen[0].headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/);
    const form = await new Response(Uint8Array.from(seen[0].body), {
      headers: { "content-type": seen[0].headers["content-type"]! },
    }).formData();
    const file = form.get("file") as File;
    expect([file.name, file.type]).toEqual(["image.png", "image/png"]);
    expect(decodePng(new Uint8Array(await file.arrayBuffer()), "file").pixels).toEqual(batch(1).pixels);
  });

  it("a chat model that sees images", async () => {
    const { ask, seen } = await api("A chat model that sees images", () => ({
      choices: [{ message: { role: "assistant", content: "snake" } }],
    }));
    expect(await ask(batch(1))).toEqual([[0, 0, 0, 1]]);
    const body = JSON.parse(seen[0].body.toString()) as { messages: { content: { image_url?: { url: string } }[] }[] };
    expect(body.messages[0].content[1].image_url!.url).toMatch(/^data:image\/png;base64,iVBORw0KGgo/);
  });
});

describe("settings that contradict each other", () => {
  it("are refused before anything is asked", async () => {
    const fault = async (settings: TeacherSettings) => {
      try {
        await openHttpTeacher("http://127.0.0.1:9/", { settings: { classes: 4, ...settings } });
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        return (error as Error).message;
      }
      return "no error";
    };
    const template = { images: ["$image"] };
    const faults = [
      await fault({ onnx: {} }),
      await fault({ http: { headers: { authorization: "${UNSET}" } } }),
      await fault({ http: { body: "binary", template } }),
      await fault({ http: { field: "file" } }),
      await fault({ http: { image: "numbers" } }),
      await fault({ http: { layout: "NHWC" } }),
      await fault({ http: { image: "png", layout: "NHWC", template } }),
      await fault({ http: { image: "raw", range: "0-1", template } }),
      await fault({ http: { body: "multipart", image: "numbers" } }),
      await fault({ http: { template: { image: "$image" } }, asking: { batch: 2 } }),
      await fault({ http: { body: "binary" }, answer: { items: "a" }, asking: { batch: 2 } }),
      await fault({ answer: { form: "label" } }),
      await fault({ http: { template }, answer: { form: "top", scores: "b" } }),
      await fault({ answer: { form: "label", labels: "a", scores: "b" } }),
      await fault({ answer: { form: "logits", normalise: true, scores: "b" } }),
      await fault({ answer: { unknownLabels: "ignore", scores: "b" } }),
      await fault({ answer: { items: "a[" } }),
      await fault({ classes: undefined, http: { body: "binary" } }),
    ];
    expect(faults.join("\n")).toMatchInlineSnapshot(`
      "teacher.json: onnx says nothing to a teacher at http://127.0.0.1:9/; leave it out
      teacher.json: http.headers.authorization needs the environment variable UNSET, which is not set; set it
      teacher.json: http.template is of no use here; leave it out, or set http.body to json
      teacher.json: http.field is of no use here; leave it out, or set http.body to multipart
      teacher.json: http.image is numbers; expected raw or png, or a template (http.template)
      teacher.json: http.layout is of no use here; leave it out, or set http.template
      teacher.json: http.layout is of no use here; leave it out, or set http.image to raw or numbers
      teacher.json: http.range is of no use here; leave it out, or set http.image to numbers
      teacher.json: http.image is numbers; expected png or raw, since http.body is multipart
      teacher.json: asking.batch is 2; expected at most 1, since neither template nor answer are about several images
      teacher.json: asking.batch is 2; expected at most 1, since neither template nor answer are about several images
      teacher.json: answer.form is label; tell where an answer's labels are (answer.labels)
      teacher.json: answer.form is top; tell where an answer's labels are (answer.labels)
      teacher.json: answer.scores is of no use where the form is label; leave it out
      teacher.json: answer.normalise is of no use where the form is logits; leave it out
      teacher.json: answer.unknownLabels is ignore, which leaves out some labels of several; expected refuse
      teacher.json: answer.items "a[" is no JMESPath: Syntax error: expected Star, got: EOF; see https://jmespath.site
      teacher.json does not tell how many classes the teacher http://127.0.0.1:9/ (f08909d0) has; give classes or classNames"
    `);
  });
});
