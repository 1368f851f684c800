/** Opens each image set that it is given, in a process of its own, and prints its pixels or what is wrong. */
import { openImageSet } from "../../src/data/open.node.js";

for (const spec of process.argv.slice(2)) {
  try {
    console.log(JSON.stringify(Array.from((await openImageSet(spec)).pixels)));
  } catch (error) {
    console.log(String(error));
  }
}
