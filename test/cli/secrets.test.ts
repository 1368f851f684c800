import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "../data/fixtures.js";
import { FaultyServer, type FaultyOptions } from "../activemixup/teacher/faulty-server.js";
import { cli, writeDigits } from "./cli.js";

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.root, ...names);
const TOKEN = "planted-token-0123456789";
let server: FaultyServer | undefined;

beforeAll(() => {
  writeDigits(folder.root, 60, 10);
  const settings = {
    http: { headers: { authorization: "Bearer ${PLANTED_TOKEN}" }, query: { key: "${PLANTED_TOKEN}" } },
    asking: { attempts: 40, backoffSeconds: 0.005, timeoutSeconds: 1, batch: 8 },
  };
  writeFileSync(at("teacher.json"), JSON.stringify(settings));
});

afterEach(async () => {
  delete process.env.PLANTED_TOKEN;
  await server?.stop();
});

/** A run against a server that repeats the token that it was sent in every fault. */
async function distill(out: string, token: string, options: FaultyOptions) {
  process.env.PLANTED_TOKEN = token;
  server = await new FaultyServer({ token: TOKEN, ...options }).start();
  return cli(
    "distill",
    ...["--images", `${folder.root}:train`, "--teacher", server.url, "--teacher-config", at("teacher.json")],
    ...["--student", "lenet5-half", "--n", "20", "--budget", "100", "--rounds", "1"],
    ...["--steps", "2", "--batch", "8", "--holdout", "0", "--device", "cpu", "--out", at(out)],
  );
}

/** Files of the folder that hold the text. */
const holding = (text: string) =>
  readdirSync(folder.root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name)).includes(text))
    .map((entry) => join(entry.parentPath, entry.name));

it("a token is in nothing that a run says or writes, whatever the server repeats", async () => {
  const faults = ["500", "not-json", "503", "429", "408"] as const;
  const done = await distill("done", TOKEN, { faults, seed: 1, rate: 0 });
  expect(done.code, done.stderr).toBe(0);
  for (const fault of faults) expect(server!.happened[fault]).toBeGreaterThan(0);
  await server!.stop();
  const refused = await distill("refused", TOKEN, { faults: ["ok", "refuse"] });
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("(HTTP 400: no luck with Bearer ***)");
  await server!.stop();
  const unknown = await distill("unknown", `${TOKEN}-of-another`, {});
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain("(HTTP 401: the token Bearer *** is not the right one)");

  for (const { stdout, stderr } of [done, refused, unknown]) expect(stdout + stderr).not.toContain(TOKEN);
  expect(holding(TOKEN)).toEqual([]);
  // The ledger does keep why requests failed.
  expect(holding("no luck with Bearer ***").length).toBeGreaterThan(0);
});
