/** Stands in a browser in the place of each `*.node.ts` file (package.json, `imports`): whoever loads it is told. */
throw new Error("activemixup: this part reads files, starts processes or loads Dawn, and needs Node");

export {};
