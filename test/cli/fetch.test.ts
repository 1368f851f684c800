import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { catalogue, type PublishedSet } from "../../cli/fetch/catalogue.js";
import { sha256Of } from "../../cli/fetch/digest.js";
import { fetchSet, type FetchOptions } from "../../cli/fetch/fetch.js";
import {
  cifarRecords,
  concat,
  idxImages,
  idxLabels,
  inputRejection,
  pattern,
  temporaryFolder,
  type Bytes,
} from "../data/fixtures.js";
import { openImageSet } from "../../src/data/index.js";
import { cli } from "./cli.js";
import { serveFiles, type Behaviour, type FileServer } from "./fetch-server.js";

const folder = temporaryFolder();
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** A set of files as they are published. */
function publish(files: ReadonlyMap<string, Bytes>, rest: Partial<PublishedSet> = {}): PublishedSet {
  const published = Array.from(files, ([name, bytes]) => ({ name, bytes: bytes.length, sha256: sha256(bytes) }));
  return { name: "letters", mirrors: [], files: published, ...rest };
}

const images = concat(idxImages(60, 32, 32));
const files = new Map<string, Bytes>([
  ["train-images-idx3-ubyte", images],
  ["train-labels-idx1-ubyte", idxLabels(pattern(60).map((value) => value % 3))],
]);
const set = publish(files);
const [first] = set.files;

const servers: FileServer[] = [];
async function serve(behaviour: Behaviour, content: ReadonlyMap<string, Bytes> = files): Promise<FileServer> {
  const server = await serveFiles(content, behaviour);
  servers.push(server);
  return server;
}
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

let count = 0;
let to = "";
let lines: string[] = [];
let bars: string[] = [];
beforeEach(() => {
  to = join(folder.root, `set-${count++}`);
  lines = [];
  bars = [];
});

/** Fetches to a new folder, with a progress that remembers. */
function fetchTo(
  mirrors: readonly (FileServer | string)[],
  {
    signal = new AbortController().signal,
    of = set,
    ...options
  }: Partial<FetchOptions> & { signal?: AbortSignal; of?: PublishedSet } = {},
) {
  const progress = {
    update: (label: string, done: number, total: number, unit: string) =>
      bars.push(`${label} ${done}/${total} ${unit}`),
    say: (line: string) => lines.push(line),
    end: () => undefined,
  };
  const urls = mirrors.map((mirror) => (typeof mirror === "string" ? mirror : mirror.url));
  return fetchSet(of, { folder: to, mirrors: urls, pause: 1, patience: 5000, ...options }, progress, signal);
}

/** What must be in the folder, and nothing else but the lock's file. */
function expectFetched(content: ReadonlyMap<string, Uint8Array> = files): void {
  expect(readdirSync(to).sort()).toEqual([".fetch.lock", ...content.keys()].sort());
  for (const [name, bytes] of content) expect(sha256(readFileSync(join(to, name))), name).toBe(sha256(bytes));
}

const part = () => join(to, `${first.name}.part`);

describe("a right server", () => {
  it("gives the files, with progress; they are read as they are, and not fetched again", async () => {
    const server = await serve("right");
    const fetched = await fetchTo([server]);
    expectFetched();
    expect(fetched[0]).toEqual({
      file: join(to, first.name),
      bytes: images.length,
      from: `${server.url}/${first.name}`,
    });
    expect(bars).toContain(`fetching ${first.name} 62/62 kB`);
    expect(await openImageSet(`${to}:train`)).toMatchObject({ count: 60, classes: 3 });
    server.asked.length = 0;
    const again = await fetchTo([server]);
    expect(again.map(({ from }) => from)).toEqual([undefined, undefined]);
    expect(server.asked).toEqual([]);
  });

  it("is asked for what is missing alone", async () => {
    const server = await serve("right");
    mkdirSync(to);
    writeFileSync(join(to, first.name), images);
    await fetchTo([server]);
    expect(server.asked).toEqual(["/sets/train-labels-idx1-ubyte"]);
    expectFetched();
  });

  it("is not asked where another file has the name, which stays", async () => {
    const server = await serve("right");
    mkdirSync(to);
    const mine = join(to, first.name);
    writeFileSync(mine, "mine");
    expect(await inputRejection(fetchTo([server]))).toBe(
      `${mine} is there, and is not the published file; remove it, or give another --to`,
    );
    expect(readFileSync(mine, "utf8")).toBe("mine");
    expect(server.asked).toEqual([]);
  });
});

describe("what was begun goes on", () => {
  it("after a connection that was cut, again and again, from where it was cut", async () => {
    const server = await serve({ cutAfter: 20_000 });
    await fetchTo([server]);
    expectFetched();
    const name = `/sets/${first.name}`;
    expect(server.asked.slice(0, 4)).toEqual([
      name,
      `${name} bytes=20000-`,
      `${name} bytes=40000-`,
      `${name} bytes=60000-`,
    ]);
    expect(lines[0]).toMatch(
      /\/train-images-idx3-ubyte: (the connection was cut|the connection ended).*; trying again$/,
    );
  });

  it("in a later call, at another mirror too", async () => {
    const cutting = await serve({ cutAfter: 0 });
    const right = await serve("right");
    mkdirSync(to);
    writeFileSync(part(), images.subarray(0, 50_000));
    const message = await inputRejection(fetchTo([cutting]));
    expect(message).toContain(
      `; 50000 of ${images.length} bytes are in ${part()}, and the same command goes on from there;`,
    );
    await fetchTo([cutting, right]);
    expect(right.asked[0]).toBe(`/sets/${first.name} bytes=50000-`);
    expectFetched();
  });

  it("at a server without parts from the beginning", async () => {
    const server = await serve("no-parts");
    mkdirSync(to);
    writeFileSync(part(), images.subarray(0, 50_000));
    await fetchTo([server]);
    expect(server.asked).toEqual([`/sets/${first.name} bytes=50000-`, "/sets/train-labels-idx1-ubyte"]);
    expectFetched();
  });

  it("from the beginning where what is there is no part of the file, or too long", async () => {
    const server = await serve("right");
    mkdirSync(to);
    for (const wrong of [pattern(50_000, 3), pattern(images.length, 3), pattern(images.length + 1)]) {
      writeFileSync(part(), wrong);
      await fetchTo([server]);
      expectFetched();
      rmSync(join(to, first.name));
    }
    expect(
      lines.filter((line) =>
        line.endsWith("what was there before and what came now are not the file; fetching all of it"),
      ),
    ).toHaveLength(2);
  });

  it("after Ctrl-C", async () => {
    const server = await serve({ stallAfter: 30_000 });
    const stop = new AbortController();
    const reason = new Error("interrupted");
    setTimeout(() => {
      stop.abort(reason);
    }, 300);
    await expect(fetchTo([server], { signal: stop.signal })).rejects.toBe(reason);
    expect(readFileSync(part()).length).toBe(30_000);
    server.behaviour = "right";
    await fetchTo([server]);
    expect(server.asked[1]).toBe(`/sets/${first.name} bytes=30000-`);
    expectFetched();
  });
});

describe("a server that does not have it", () => {
  const faults: [string, Behaviour, RegExp][] = [
    ["other content", "wrong-content", /: other content: SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}$/],
    ["another length", "wrong-length", /: has 61455 bytes, expected 61456$/],
    ["more than it should", "too-much", /: sends more than the 61456 bytes that are expected$/],
    ["404", { status: 404, times: 99 }, /: 404 Not Found$/],
    ["500, again and again", { status: 500, times: 99 }, /: 500 Internal Server Error$/],
    ["silence", { stallAfter: 10 }, /: nothing came for 0.2 s$/],
  ];

  it.each(faults)(
    "%s: the next mirror is asked, and of the wrong file nothing is left",
    async (_, behaviour, fault) => {
      const wrong = await serve(behaviour);
      const right = await serve("right");
      const fetched = await fetchTo([wrong, `${right.url}/`], { patience: 200 });
      expect(fetched[0].from).toBe(`${right.url}/${first.name}`);
      expectFetched();
      const last = lines.filter((line) => line.endsWith("; trying the next mirror"));
      expect(last[0].replace("; trying the next mirror", "")).toMatch(fault);
    },
  );

  it.each([
    ["a part that was not asked for", "wrong-part", "sends another part than it was asked for"],
    ["a part that is not named", "unsaid-part", "sends a part of the file without saying which"],
  ] as const)("%s", async (_, behaviour, fault) => {
    const wrong = await serve(behaviour);
    mkdirSync(to);
    writeFileSync(part(), images.subarray(0, 100));
    expect(await inputRejection(fetchTo([wrong]))).toContain(`: ${fault};`);
    expect(readFileSync(part())).toEqual(Buffer.from(images.subarray(0, 100)));
  });

  it("503 for a while: it is asked again", async () => {
    const busy = await serve({ status: 503, times: 2 });
    await fetchTo([busy]);
    expectFetched();
    expect(lines).toHaveLength(2);
  });

  it("none anywhere: one line that names all, and nothing is left", async () => {
    const gone = await serve("right");
    const { url } = gone;
    await gone.close();
    servers.pop();
    const message = await inputRejection(fetchTo([url, "http://name.invalid/sets"]));
    expect(message).toMatch(
      /^train-images-idx3-ubyte could not be fetched: http:\/\/127\.0\.0\.1:\d+\/sets\/train-images-idx3-ubyte: no server answers \(ECONNREFUSED\); http:\/\/name\.invalid\/sets\/train-images-idx3-ubyte: its name is not known.* \((ENOTFOUND|EAI_AGAIN)\); check the network, or give another address by --mirror$/,
    );
    expect(readdirSync(to)).toEqual([".fetch.lock"]);
  });
});

/** A header block of tar. */
function tarHeader(name: string, bytes: number, type = "0"): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, "latin1");
  block.write(bytes.toString(8).padStart(11, "0"), 124);
  block.write(`        ${type}`, 148);
  block.write("ustar\0", 257);
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
  );
  return block;
}

function tarGz(entries: readonly [name: string, content: Uint8Array, type?: string][]): Bytes {
  const blocks = entries.flatMap(([name, content, type]) => [
    tarHeader(name, content.length, type),
    Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]),
  ]);
  return Uint8Array.from(gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)])));
}

describe("an archive", () => {
  const names = Array.from({ length: 10 }, (_, i) => `class ${i}`).join("\n");
  const members = new Map<string, Bytes>([
    ...[1, 2, 3, 4, 5].map((i) => [`data_batch_${i}.bin`, cifarRecords([[i], [0]], i)] as const),
    ["test_batch.bin", cifarRecords([[7]])],
    ["batches.meta.txt", Uint8Array.from(Buffer.from(`${names}\n`))],
  ]);
  const wanted = Array.from(members, ([name, bytes]) =>
    name.endsWith(".txt") ? { name } : { name, bytes: bytes.length, sha256: sha256(bytes) },
  );
  const entries = Array.from(members, ([name, bytes]) => [`cifar-10-batches-bin/${name}`, bytes] as [string, Bytes]);
  const archiveOf = (content: Bytes) => {
    const archive = new Map([["cifar.tar.gz", content]]);
    return { archive, of: publish(archive, { members: wanted }) };
  };

  it("is taken apart to what the other commands read, and removed; then it is not fetched again", async () => {
    const more: [string, Uint8Array, string?][] = [
      ["cifar-10-batches-bin/", new Uint8Array(), "5"],
      ["cifar-10-batches-bin/readme.html", pattern(1000)],
      ...entries,
      ["cifar-10-batches-bin/link", new Uint8Array(), "2"],
    ];
    const { archive, of } = archiveOf(tarGz(more));
    const server = await serve("right", archive);
    const fetched = await fetchTo([server], { of });
    expectFetched(members);
    expect(fetched).toHaveLength(7);
    expect(bars.some((bar) => bar.startsWith("unpacking "))).toBe(true);
    expect(await openImageSet(`${to}:train`)).toMatchObject({ count: 10, classNames: names.split("\n") });
    server.asked.length = 0;
    await fetchTo([server], { of });
    expect(server.asked).toEqual([]);
    // One that is there already need not be fetched to be taken apart.
    writeFileSync(join(to, "cifar.tar.gz"), archive.get("cifar.tar.gz")!);
    rmSync(join(to, "test_batch.bin"));
    await fetchTo([server], { of });
    expect(server.asked).toEqual([]);
    expectFetched(members);
  });

  const cases: [string, () => Bytes, RegExp][] = [
    [
      "a name above it",
      () => tarGz([["../data_batch_1.bin", pattern(10)], ...entries]),
      /holds "\.\.\/data_batch_1\.bin", which leads out/,
    ],
    [
      "a name above it behind others",
      () => tarGz([...entries, ["a/../../evil", pattern(10)]]),
      /holds "a\/\.\.\/\.\.\/evil", which leads out/,
    ],
    [
      "an absolute name",
      () => tarGz([["/etc/data_batch_1.bin", pattern(10)], ...entries]),
      /holds "\/etc\/data_batch_1\.bin", which leads out/,
    ],
    [
      "a file of another size",
      () => tarGz([["x/data_batch_1.bin", pattern(10)], ...entries]),
      /holds data_batch_1\.bin of 10 bytes, expected 6146/,
    ],
    [
      "a link by the name of a file",
      () => tarGz([["x/data_batch_1.bin", new Uint8Array(), "2"], ...entries.slice(1)]),
      /lacks data_batch_1\.bin;/,
    ],
    [
      "the end missing",
      () => Uint8Array.from(gzipSync(Buffer.concat([tarHeader("x/data_batch_1.bin", 6146), pattern(600)]))),
      /is cut short/,
    ],
    ["gzip cut short", () => tarGz(entries).slice(0, -9), /is no whole gzip file/],
    [
      "a wrong checksum",
      () => Uint8Array.from(gzipSync(tarHeader("x", 0).fill(1, 0, 1))),
      /has a header whose checksum is wrong/,
    ],
    [
      "no tar",
      () => Uint8Array.from(gzipSync(pattern(2000))),
      /has a header (that cannot be read|whose checksum is wrong)/,
    ],
    ["no gzip", () => pattern(2000), /is no whole gzip file/],
  ];

  it.each(cases)("with %s is refused, and leaves no file", async (_, content, fault) => {
    const { archive, of } = archiveOf(content());
    const server = await serve("right", archive);
    expect(await inputRejection(fetchTo([server], { of }))).toMatch(fault);
    expect(readdirSync(to).sort()).toEqual([".fetch.lock", "cifar.tar.gz"]);
    expect(existsSync(join(folder.root, "data_batch_1.bin"))).toBe(false);
  });
});

it("ends with what stopped it, also while it reads what it has", async () => {
  const stop = new AbortController();
  const reading = sha256Of(import.meta.filename, stop.signal);
  stop.abort(new Error("enough"));
  await expect(reading).rejects.toThrow("enough");
});

describe("the command", () => {
  it("knows its sets: sizes and digests of all files, several mirrors each", () => {
    expect(catalogue.map(({ name }) => name)).toEqual(["mnist", "fashion-mnist", "cifar-10"]);
    for (const { files, mirrors, members = [] } of catalogue) {
      expect(mirrors.length).toBeGreaterThanOrEqual(2);
      for (const { bytes, sha256 } of files) {
        expect(bytes).toBeGreaterThan(1000);
        expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      }
      for (const { sha256 } of members) if (sha256) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  it("says in one line that a mirror has other files, and leaves none of them", async () => {
    const other = new Map<string, Bytes>([["train-images-idx3-ubyte.gz", pattern(500)]]);
    const server = await serve("right", other);
    const { code, stdout, stderr } = await cli("data", "fetch", "mnist", "--to", to, "--mirror", server.url, "--quiet");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(
      /^error: train-images-idx3-ubyte\.gz could not be fetched: http\S+: has 500 bytes, expected 9912422; check the network, or give another address by --mirror\n$/,
    );
    expect(readdirSync(to)).toEqual([".fetch.lock"]);
  });

  it.each([
    [["data", "fetch", "imagenet"], "Allowed choices are mnist, fashion-mnist, cifar-10."],
    [["data", "fetch", "mnist", "--mirror", "ftp://a/b"], "expected the address of a folder, http://… or https://…"],
    [["data", "fetch"], "missing required argument 'set'"],
    [["data", "get"], "unknown command 'get'"],
  ])("refuses %s", async (args, message) => {
    const { code, stderr } = await cli(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  it("refuses a place that it cannot write to", async () => {
    const file = folder.write("a-file", "x");
    const { code, stderr } = await cli("data", "fetch", "mnist", "--to", join(file, "mnist"));
    expect(code).toBe(2);
    expect(stderr).toBe(
      `error: --to ${join(file, "mnist")} cannot be made (ENOTDIR); give a place where you may write\n`,
    );
  });
});
