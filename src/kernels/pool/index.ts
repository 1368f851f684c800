export {
  globalPoolGeometry,
  pool2dGeometry,
  pool2dShape,
  type MaxPool2dOptions,
  type Pool2dOptions,
  type PoolGeometry,
} from "./contract.js";
export { avgPool2d, avgPool2dBackward, globalAvgPool, globalAvgPoolBackward } from "./average.js";
export { maxPool2d, maxPool2dBackward } from "./maximum.js";
export { planAvgPool, planAvgPoolBackward, planMaxPool, planMaxPoolBackward } from "./plan.js";
export {
  avgPool2dBackwardReference,
  avgPool2dReference,
  maxPool2dBackwardReference,
  maxPool2dReference,
} from "./reference.js";
