import { Residual, Sequential, type Module } from "../src/nn/index.js";
import { sizeOf, type Shape } from "../src/tensor/index.js";

/** Floating-point operations of a network's convolutions and linear layers; what else it does is not counted. */
export interface NetworkFlops {
  readonly forward: number;
  /** Forward, the gradients of the weights, and those of every layer's input but the first's, which nobody needs. */
  readonly training: number;
}

/** Operations of `module` on an input of shape `input`, batch first, a multiply-add counted as two. */
export function networkFlops(module: Module, input: Shape): NetworkFlops {
  const layers = layerFlops(module, input);
  const forward = layers.reduce((sum, flops) => sum + flops, 0);
  return { forward, training: 3 * forward - (layers[0] ?? 0) };
}

/** Of each layer that has weights to multiply by, in order. */
function layerFlops(module: Module, input: Shape): number[] {
  if (module instanceof Sequential) {
    const layers: number[] = [];
    let shape = input;
    for (const child of Object.values(module.children)) {
      layers.push(...layerFlops(child, shape));
      shape = child.outputShape(shape);
    }
    return layers;
  }
  if (module instanceof Residual) {
    const { downsample, ...main } = module.children;
    return [...layerFlops(new Sequential(main), input), ...(downsample ? layerFlops(downsample, input) : [])];
  }
  const weight = module.parameters?.weight;
  if (!weight || weight.shape.length < 2) return [];
  // Each element of the output is a sum over all axes of the weights but the first, which is that of the outputs.
  return [2 * sizeOf(module.outputShape(input)) * sizeOf(weight.shape.slice(1))];
}
