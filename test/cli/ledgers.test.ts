import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { closeStores, openStores } from "../../cli/ledgers.js";
import type { Teacher } from "../../src/activemixup/index.js";
import { ledgerFile } from "../../src/activemixup/ledger/file-store.node.js";
import { temporaryFolder } from "../data/fixtures.js";

const folder = temporaryFolder();

it("a ledger that cannot be opened keeps no other one locked", async () => {
  const at = join(folder.root, "ledgers");
  const [first, second] = ["first", "second"].map((name) => ({ name, classes: 3 }) as Teacher);
  const open = (...teachers: Teacher[]) => openStores(at, teachers, () => undefined);
  await closeStores(await open(first, second));
  const held = await open(first);
  await expect(open(first)).rejects.toThrow("first");
  await closeStores(held);
  writeFileSync(ledgerFile(at, "second"), "damaged");
  await expect(open(first, second)).rejects.toThrow("second");
  await closeStores(await open(first));
});
