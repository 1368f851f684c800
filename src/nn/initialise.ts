/**
 * First values of parameters. Each function gives an {@link Initialiser}; a network calls it with the parameter's own
 * substream of `RandomStream.initialise`, so that no parameter's values depend on how many numbers another draws.
 */
import { sizeOf, type Shape } from "../tensor/index.js";
import type { Initialiser } from "./module.js";

/** Inputs and outputs that one weight of a layer connects: the fans that initialisers scale by. */
export interface Fans {
  fanIn: number;
  fanOut: number;
}

/** The fans of a weight of shape [outputs, inputs] or [outputs, inputs, kernel height, kernel width]. */
export function fansOf([outputs, inputs, ...kernel]: Shape): Fans {
  const area = sizeOf(kernel);
  return { fanIn: inputs * area, fanOut: outputs * area };
}

/**
 * Uniform in ±1/√fanIn: PyTorch's default for the weights and the biases of linear and convolution layers. For weights
 * it is Kaiming-uniform (He et al., 2015) with a slope of √5.
 */
export function uniformFanIn(shape: Shape, fanIn: number): Initialiser {
  return uniform(shape, 1 / Math.sqrt(fanIn));
}

/** Normal with variance 2/fanOut: Kaiming-normal for layers before a ReLU, by fan-out (He et al., 2015). */
export function kaimingNormal(shape: Shape, fanOut: number): Initialiser {
  const deviation = Math.sqrt(2 / fanOut);
  return (random) => Float32Array.from({ length: sizeOf(shape) }, () => deviation * random.normal());
}

/** Uniform in ±√(6/(fanIn + fanOut)): Xavier-uniform (Glorot and Bengio, 2010). */
export function xavierUniform(shape: Shape, { fanIn, fanOut }: Fans): Initialiser {
  return uniform(shape, Math.sqrt(6 / (fanIn + fanOut)));
}

/** All 0; draws nothing. */
export function zeros(shape: Shape): Initialiser {
  return () => new Float32Array(sizeOf(shape));
}

/** All 1; draws nothing. */
export function ones(shape: Shape): Initialiser {
  return () => new Float32Array(sizeOf(shape)).fill(1);
}

function uniform(shape: Shape, bound: number): Initialiser {
  return (random) => Float32Array.from({ length: sizeOf(shape) }, () => bound * (2 * random.float() - 1));
}
