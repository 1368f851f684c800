/**
 * Locks a file and says `held`, or why it cannot; holds the lock until a line comes on stdin.
 *
 *     node hold.child.mjs FILE
 */
import { lockFile } from "../../src/activemixup/ledger/lock.node.js";

try {
  const lock = await lockFile(process.argv[2], "the place");
  process.stdout.write("held\n");
  process.stdin.once("data", () => {
    process.stdin.pause();
    void lock.release().then(() => process.stdout.write("released\n"));
  });
} catch (error) {
  process.stdout.write(`${(error as Error).name} ${(error as Error).message}\n`);
  process.stdin.pause();
}
