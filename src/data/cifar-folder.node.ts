/** Reads folders of CIFAR-10 and CIFAR-100 in their binary versions from disk, in Node. */
import { join } from "node:path";
import { InputError } from "../errors.js";
import { cifarImageSet, parseCifar10, parseCifar100, parseCifarClassNames, type CifarKind } from "./cifar-binary.js";
import type { ImageSet } from "./image-set.js";
import { readBytes, type FolderEntries } from "./read-file.node.js";
import { chooseSplit, type Split } from "./split.js";

interface CifarLayout {
  files: Record<Split, string[]>;
  classNames: string;
}

const LAYOUTS: Record<CifarKind, CifarLayout> = {
  "cifar-10": {
    files: { train: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`), test: ["test_batch.bin"] },
    classNames: "batches.meta.txt",
  },
  "cifar-100": { files: { train: ["train.bin"], test: ["test.bin"] }, classNames: "fine_label_names.txt" },
};
const PARSERS = { "cifar-10": parseCifar10, "cifar-100": parseCifar100 };

function cifarSplits(folder: FolderEntries, kind: CifarKind): Split[] {
  return (["train", "test"] as const).filter((split) =>
    LAYOUTS[kind].files[split].some((name) => folder.files.includes(name)),
  );
}

/** Which CIFAR a folder holds, by the names of its files; undefined for neither. */
export function cifarKind(folder: FolderEntries): CifarKind | undefined {
  return (["cifar-10", "cifar-100"] as const).find((kind) => cifarSplits(folder, kind).length > 0);
}

/**
 * Reads one split of a CIFAR folder: `data_batch_1.bin` to `data_batch_5.bin` or `test_batch.bin`; for CIFAR-100
 * `train.bin` or `test.bin`, with the fine labels. Class names are taken from the archive's own list where it is there.
 * @throws InputError if a file of the split is missing or damaged
 */
export async function openCifarFolder(
  folder: FolderEntries,
  kind: CifarKind,
  split: Split | undefined,
): Promise<ImageSet> {
  const chosen = chooseSplit(folder.path, cifarSplits(folder, kind), split);
  const layout = LAYOUTS[kind];
  const missing = layout.files[chosen].filter((name) => !folder.files.includes(name));
  if (missing.length > 0) {
    throw new InputError(
      `${folder.path}: ${missing.join(", ")} missing, expected ${layout.files[chosen].join(", ")}; restore what is missing from the archive`,
    );
  }
  const batches = [];
  for (const name of layout.files[chosen]) {
    const path = join(folder.path, name);
    batches.push(PARSERS[kind](await readBytes(path), path));
  }
  let classNames: string[] | undefined;
  if (folder.files.includes(layout.classNames)) {
    const path = join(folder.path, layout.classNames);
    classNames = parseCifarClassNames(new TextDecoder().decode(await readBytes(path)), path, kind);
  }
  return cifarImageSet(`${folder.path}:${chosen}`, batches, kind, classNames);
}
