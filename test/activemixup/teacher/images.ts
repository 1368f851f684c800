import { Ledger, MemoryStore, type Images, type Teacher } from "../../../src/activemixup/index.js";

/** `count` different images of `size` pixels a side: the first pixel of each is its number. */
export function numberedImages(count: number, size = 2, channels = 1): Images {
  const bytes = channels * size * size;
  const pixels = Uint8Array.from({ length: count * bytes }, (_, at) =>
    at % bytes === 0 ? Math.floor(at / bytes) : (at * 7) % 256,
  );
  return { count, channels, height: size, width: size, pixels };
}

/** A ledger in memory, as a run has it. */
export function ledgerOf(teacher: Teacher, budget = 1000, countFailed = true): { ledger: Ledger; notices: string[] } {
  const notices: string[] = [];
  const ledger = new Ledger(teacher, new MemoryStore(teacher.name), {
    run: "test",
    budget,
    countFailed,
    onNotice: (notice) => notices.push(notice),
  });
  return { ledger, notices };
}

/** What the test's teachers answer to image `number`: 0.7 for its class. */
export function expectedAnswer(number: number, classes = 4): number[] {
  return Array.from({ length: classes }, (_, at) => (at === number % classes ? 0.7 : 0.3 / (classes - 1)));
}
