import { join } from "node:path";
import { Fault, run } from "./run.mjs";

/** Most bytes that the unpacked package may have: well below what it had before it was built in chunks, 1.3 MB. */
const MOST_BYTES = 840_000;

const BELONGS = /^(package\.json|README\.md|LICENSE|dist\/(src|chunks|node|cli)\/[\w./-]+\.(js|d\.ts))$/;

/**
 * Packs what was built into `folder`.
 * @returns {{ file: string, size: number, unpackedSize: number, files: { path: string, size: number }[] }}
 */
export function pack(folder) {
  const words = ["npm", "pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const told = JSON.parse(run(words));
  // npm 12 gives an object by package name where those before it give an array.
  const [about] = Array.isArray(told) ? told : Object.values(told);
  return { ...about, file: join(folder, about.filename) };
}

/** Requires code and declarations of the package, and no more than they may weigh. */
export function checkContents({ files, size, unpackedSize }) {
  const strange = files.filter(({ path }) => !BELONGS.test(path)).map(({ path }) => path);
  if (strange.length) throw new Fault(`the package holds what does not belong in it: ${strange.join(", ")}`);
  if (unpackedSize > MOST_BYTES)
    throw new Fault(`unpacked, the package has ${unpackedSize} bytes; at most ${MOST_BYTES}`);
  return `${files.length} files, ${size} bytes, unpacked ${unpackedSize}`;
}
