/** The verbs: each kernel with its contract, CPU reference, WGSL and gradient. */
export * from "./matmul/index.js";
