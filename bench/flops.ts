import { Sequential, type Module } from "../src/nn/index.js";
import type { Shape } from "../src/tensor/index.js";

/** Floating-point operations of a network's convolutions and linear layers; what else it does is not counted. */
export interface NetworkFlops {
  readonly forward: number;
  /** Forward, the gradients of the weights, and those of every layer's input but the first's, which nobody needs. */
  readonly training: number;
}

/** Operations of `module` on an input of shape `input`, batch first, a multiply-add counted as two. */
export function networkFlops(module: Module, input: Shape): NetworkFlops {
  const flops = (of: Module) => 2 * (of.multiplyAdds?.(input) ?? 0);
  const forward = flops(module);
  return { forward, training: 3 * forward - flops(firstLayer(module)) };
}

function firstLayer(module: Module): Module {
  return module instanceof Sequential ? firstLayer(Object.values(module.children)[0]) : module;
}
