/** The whole of activemixup; the subpaths give its rooms one by one. */
export * as tensor from "./tensor/index.js";
export * as kernels from "./kernels/index.js";
export * as nn from "./nn/index.js";
export * as data from "./data/index.js";
export * from "./activemixup/index.js";
