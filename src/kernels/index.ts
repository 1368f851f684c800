/** The verbs: each kernel with its contract, CPU reference, WGSL and gradient. */
export * from "./matmul/index.js";
export * from "./matmul-half/index.js";
export * from "./half/index.js";
export * from "./gather/index.js";
export * from "./step/index.js";
export * from "./conv2d/index.js";
export * from "./reduce/index.js";
export * from "./activation/index.js";
export * from "./loss/index.js";
export * from "./pool/index.js";
export * from "./optimizer/index.js";
export * from "./mixup/index.js";
export * from "./warp/index.js";
export * from "./norm/index.js";
export * from "./select/index.js";
export * from "./seeding/index.js";
export * from "./tune/index.js";
