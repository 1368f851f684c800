/**
 * Opens a ledger and appends requests and their outcomes, several at a time, until it is killed or cannot; says on
 * stdout what is durable: `ask NUMBER`, `outcome NUMBER`. After an error it says whether another append has the same.
 *
 *     node append.child.mjs FILE TEACHER CONCURRENCY IMAGES [REQUESTS]
 */
import { writeSync } from "node:fs";
import { FileStore } from "../../src/activemixup/ledger/file-store.node.js";

const [path, teacher, concurrency, images, requests = "Infinity"] = process.argv.slice(2);
const say = (text: string) => writeSync(1, `${text}\n`);

let store: FileStore | undefined;
try {
  const opened = await FileStore.open(path, teacher, { onNotice: (message) => say(`notice ${message}`) });
  store = opened;
  say("open");
  const worker = async (store: FileStore) => {
    for (let ask = store.nextAsk(); ask <= Number(requests); ask = store.nextAsk()) {
      await store.append([{ kind: "ask", ask, run: "r", count: Number(images) }]);
      say(`ask ${ask}`);
      const answers = Array.from({ length: Number(images) }, (_, index) => ({
        query: (ask * 1000 + index).toString(16).padStart(64, "0"),
        probabilities: Float32Array.from({ length: 10 }, (_, label) => (label === ask % 10 ? 1 : 0)),
      }));
      await store.append([{ kind: "outcome", ask, answers, failed: 0 }]);
      say(`outcome ${ask}`);
    }
  };
  await Promise.all(Array.from({ length: Number(concurrency) }, () => worker(opened)));
  await opened.close();
} catch (error) {
  say(`${(error as Error).name} ${(error as Error).message}`);
  const again: unknown = await store
    ?.append([{ kind: "ask", ask: store.nextAsk(), run: "r", count: 1 }])
    .catch((reason: unknown) => reason);
  if (again === error) say("the same again");
  process.exitCode = 2;
}
