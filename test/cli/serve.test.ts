import { createServer, connect } from "node:net";
import { readFileSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../cli/run.js";
import {
  NetworkTeacher,
  openHttpTeacher,
  queryIdentity,
  type Answer,
  type Description,
} from "../../src/activemixup/index.js";
import { encodePng } from "../../src/activemixup/teacher/http/png.node.js";
import { decodeNetwork, encodeNetwork, Network } from "../../src/nn/index.js";
import { openDevice } from "../../src/tensor/index.js";
import { png, temporaryFolder } from "../data/fixtures.js";
import { captured, cli, type Outcome } from "./cli.js";

const folder = temporaryFolder();
const model = join(folder.root, "teacher.safetensors");
const shape = { channels: 1, height: 12, width: 12 };
const SIZE = 144;
const pixels = Uint8Array.from({ length: 5 * SIZE }, (_, at) => (at * 37) % 256);
const TOKEN = "planted-token-0123456789";

beforeAll(async () => {
  const device = await openDevice("cpu");
  const spec = { architecture: "lenet5-half", image: shape, classes: 3, mean: [0.5], deviation: [0.25] };
  const network = new Network(device, { ...spec, classNames: ["a", "b", "c"] }, 1);
  writeFileSync(model, await encodeNetwork(network));
  network.dispose();
  device.destroy();
});

let running: Promise<Outcome> | undefined;
afterEach(async () => {
  if (!running) return;
  process.emit("SIGINT");
  await running;
  running = undefined;
});

/** Starts serving in this process, at a free port. */
async function serve(...more: string[]): Promise<{ url: string; outcome: Promise<Outcome> }> {
  const args = ["serve", "--model", model, "--port", "0", "--device", "cpu", ...more];
  const listening = new Promise<string>((resolve) => {
    running = captured(
      () => run(args),
      (text) => {
        const [, url] = /listening on (\S+)/.exec(text) ?? [];
        if (url) resolve(url);
      },
    );
  });
  const ended = running!.then(({ stderr }) => {
    throw new Error(stderr);
  });
  return { url: await Promise.race([listening, ended]), outcome: running! };
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const question = (count: number) => ({
  shape: [1, 12, 12],
  images: Array.from({ length: count }, (_, at) => ({
    id: `image ${at}`,
    data: base64(pixels.subarray(at * SIZE, (at + 1) * SIZE)),
  })),
});

async function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  const response = await fetch(url, { method: "POST", body: text as string, headers });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}

describe("serve", () => {
  it("answers as the network does, by raw pixels and by PNG, through a teacher", async () => {
    const { url } = await serve();
    const device = await openDevice("cpu");
    const network = await decodeNetwork(readFileSync(model), model, device);
    const direct = await NetworkTeacher.create(network, model);
    const ids = await Promise.all(
      [0, 1, 2, 3, 4].map((at) => queryIdentity("", shape, pixels.subarray(at * SIZE, (at + 1) * SIZE))),
    );
    const batch = { ...shape, count: 5, pixels, ids };
    const plain = (answers: readonly Answer[]) => answers.map((answer) => Array.from(answer as Float32Array));
    const expected = plain(await direct.query(batch));
    for (const image of ["raw", "png"] as const) {
      const teacher = await openHttpTeacher(url, { settings: { http: { image } } });
      expect(teacher).toMatchObject({ classes: 3, classNames: ["a", "b", "c"], manner: { batch: 32 } });
      expect(teacher.name).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/ (\([0-9a-f]{8}\) )?[0-9a-f]{12}$/);
      expect(plain(await teacher.query(batch))).toEqual(expected);
    }
    // Other words for the classes are the user's own; their own in another order would be a mistake.
    const words = ["x", "y", "z"];
    expect(await openHttpTeacher(url, { settings: { classNames: words } })).toMatchObject({ classNames: words });
    expect(await NetworkTeacher.create(network, model, words)).toMatchObject({ classNames: words });
    const otherwise = ["b", "a", "c"];
    const message =
      'calls class 0 "a", and classNames of its settings, or --labels, "b": its own names in another order';
    await expect(openHttpTeacher(url, { settings: { classNames: otherwise } })).rejects.toThrow(message);
    await expect(NetworkTeacher.create(network, model, otherwise)).rejects.toThrow(message);
    direct.dispose();
    device.destroy();
  });

  it("describes itself, and merges requests that wait", async () => {
    const { url } = await serve();
    const described = (await (await fetch(url)).json()) as Description;
    expect(described).toEqual({
      ...{ classes: 3, classNames: ["a", "b", "c"], image: [1, 12, 12], batch: 1024 },
      version: described.version,
    });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => post(url, question(1 + (at % 5)))));
    for (const [at, { status, body }] of answers.entries()) {
      expect(status).toBe(200);
      expect((body.answers as unknown[]).slice(0, 1)).toEqual((answers[0].body.answers as unknown[]).slice(0, 1));
      expect(body.answers).toHaveLength(1 + (at % 5));
    }
  });

  it("says what is wrong with a request", async () => {
    const { url } = await serve("--max-body", "0.01");
    const one = question(1);
    const requests: unknown[] = [
      "{",
      "[]",
      {},
      { ...one, shape: [3, 12, 12] },
      { ...one, encoding: "jpeg" },
      { ...one, images: [] },
      { ...one, images: [one.images[0], one.images[0]] },
      { ...one, images: [{ id: "x", data: "?" }] },
      { ...one, images: [{ id: "x", data: "AAAA" }] },
      { ...one, encoding: "png" },
      {
        ...one,
        encoding: "png",
        images: [{ id: "x", data: base64(encodePng({ ...shape, height: 6 }, pixels.slice(0, 72))) }],
      },
      // Told by its header alone: its pixels would be damaged.
      {
        ...one,
        encoding: "png",
        images: [{ id: "x", data: base64(png(16_000, 16_000, { colorType: 2, scanlines: Uint8Array.of(0) })) }],
      },
      new Uint8Array([0xff, 0xfe]),
      "x".repeat(20_000),
    ];
    const said = [];
    for (const request of requests) {
      const { status, body } = await post(url, request);
      said.push(`${status} ${String(body.error)}`);
    }
    for (const [path, method] of [
      ["nowhere", "GET"],
      ["", "DELETE"],
      ["healthz", "POST"],
    ]) {
      const response = await fetch(url + path, { method });
      said.push(`${response.status} ${((await response.json()) as { error: string }).error}`);
    }
    expect(said.join("\n")).toMatchInlineSnapshot(`
      "400 the body is not JSON; expected { shape, encoding, images }
      400 the body: expected object, received array
      400 shape: expected tuple, received undefined
      400 images of 3 × 12 × 12; expected 1 × 12 × 12
      400 encoding: expected one of "raw"|"png"
      400 images: expected array to have >=1 items
      400 two images with the id "image 0"; expected each once
      400 images[0].data is no base64; expected RFC 4648 with padding
      400 images[0].data holds 3 bytes; expected 144, 8 bits a pixel and channel
      400 images[0].data: its name says PNG, but its content is not; convert it to PNG or remove it
      400 images[0].data is an image of 1 × 6 × 12; expected 1 × 12 × 12
      400 images[0].data is an image of 3 × 16000 × 16000; expected 1 × 12 × 12
      400 the body is not JSON; expected { shape, encoding, images }
      413 a body of more than 10485 bytes; send fewer images in a request
      404 nothing is here; expected / or /healthz
      405 DELETE of /; expected GET or POST
      405 POST of /healthz; expected GET"
    `);
    expect(await post(url, one)).toMatchObject({ status: 200 });
  });

  it("wants the token, where one is set, and never shows it", async () => {
    process.env.SERVE_TEST_TOKEN = TOKEN;
    const { url, outcome } = await serve("--token-env", "SERVE_TEST_TOKEN", "--json");
    for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: TOKEN }] as Record<
      string,
      string
    >[]) {
      const { status, headers: said } = await post(url, question(1), headers);
      expect([status, said.get("www-authenticate")]).toEqual([401, "Bearer"]);
    }
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(`${url}healthz`)).status).toBe(200);
    expect((await post(url, question(1), { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
    expect((await post(url, question(1), { authorization: `bearer ${TOKEN}` })).status).toBe(200);
    process.emit("SIGINT");
    const { stdout, stderr } = await outcome;
    expect(JSON.parse(stdout)).toMatchObject({ url, classes: 3 });
    expect(stdout + stderr).not.toContain(TOKEN);
    expect(stderr).toContain(`listening on ${url}`);
  });

  it("answers what is under way when it is stopped, and lets connections go", async () => {
    const { url, outcome } = await serve();
    const { port } = new URL(url);
    const idle = connect(Number(port), "127.0.0.1");
    await new Promise((resolve) => idle.once("connect", resolve));
    // The head of a request, then the signal, then its body.
    const body = JSON.stringify(question(2));
    const answered = new Promise<string>((resolve, reject) => {
      const request = httpRequest(url, { method: "POST", headers: { "content-length": Buffer.byteLength(body) } });
      request.on("response", (response) => {
        expect(response.headers.connection).toBe("close");
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("end", () => {
          resolve(text);
        });
      });
      request.on("error", reject);
      request.write(body.slice(0, 10));
      setTimeout(() => {
        process.emit("SIGTERM");
        setTimeout(() => request.end(body.slice(10)), 100);
      }, 100);
    });
    expect((JSON.parse(await answered) as { answers: unknown[] }).answers).toHaveLength(2);
    idle.destroy();
    expect((await outcome).code).toBe(130);
    await expect(fetch(url)).rejects.toThrow();
  });
});

describe("serve's mistakes", () => {
  afterAll(() => {
    delete process.env.SERVE_TEST_TOKEN;
  });

  it("are told before it listens", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    const attempt = async (...more: string[]) => {
      const { code, stderr } = await cli("serve", ...["--device", "cpu", "--quiet", ...more]);
      expect(code).toBe(2);
      return stderr.replaceAll(folder.root, "FOLDER").replaceAll(String(port), "PORT").trim();
    };
    process.env.SERVE_TEST_TOKEN = "two words";
    expect(
      [
        await attempt("--model", join(folder.root, "none"), "--port", "0"),
        await attempt("--model", model, "--port", "70000"),
        await attempt("--model", model, "--port", String(port)),
        await attempt("--model", model, "--port", "0", "--token-env", "SERVE_TEST_UNSET"),
        await attempt("--model", model, "--port", "0", "--token-env", "SERVE_TEST_TOKEN"),
      ].join("\n"),
    ).toMatchInlineSnapshot(`
      "error: --model FOLDER/none cannot be read (ENOENT); give the path of a file that exists
      error: --port 70000; expected at most 65535
      error: --host 127.0.0.1 --port PORT cannot be listened at (EADDRINUSE); give another port (0 takes a free one) or host
      error: --token-env SERVE_TEST_UNSET: the environment variable is not set; set it to the token
      error: --token-env SERVE_TEST_TOKEN: the token holds spaces or other characters that no header can; change it"
    `);
    taken.close();
  });
});
