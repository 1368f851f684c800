/**
 * Opens each image set that it is given, by its name or as JSON with options, in a process of its own, and prints its
 * pixels or what is wrong.
 */
import type { OpenOptions } from "../../src/data/index.js";
import { openImageSet } from "../../src/data/open.node.js";

for (const argument of process.argv.slice(2)) {
  const { spec, ...options } = (argument.startsWith("{") ? JSON.parse(argument) : { spec: argument }) as OpenOptions & {
    spec: string;
  };
  try {
    console.log(JSON.stringify(Array.from((await openImageSet(spec, options)).pixels)));
  } catch (error) {
    console.log(String(error));
  }
}
