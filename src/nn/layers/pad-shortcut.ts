import { conv2d, conv2dInputGradient, conv2dShape } from "../../kernels/index.js";
import type { Shape, Tensor } from "../../tensor/index.js";
import { Parameter, type Activation, type Module, type OperatorGraph, type Pass } from "../module.js";

/**
 * Takes every `stride`-th pixel and adds channels of zeros: [B, inputs, H, W] to [B, outputs, ⌈H/stride⌉, ⌈W/stride⌉].
 * It is a 1×1 convolution with a constant identity, so that it needs no kernel of its own.
 */
export class PadShortcut implements Module {
  readonly parameters;
  private readonly options;

  constructor(inputs: number, outputs: number, stride: number) {
    this.options = { stride };
    const identity = () => {
      const weight = new Float32Array(outputs * inputs);
      for (let channel = 0; channel < Math.min(inputs, outputs); channel++) weight[channel * inputs + channel] = 1;
      return weight;
    };
    this.parameters = { identity: new Parameter([outputs, inputs, 1, 1], "constant", identity) };
  }

  outputShape(input: Shape): Shape {
    return conv2dShape(input, this.parameters.identity.shape, undefined, this.options);
  }

  forward({ recorder }: Pass, input: Tensor<"f32">): Activation {
    const weight = this.parameters.identity.value;
    return {
      output: conv2d(recorder, input, weight, undefined, this.options),
      backward: (gradient, inputNeeded) =>
        inputNeeded ? conv2dInputGradient(recorder, gradient, weight, input.shape, this.options) : undefined,
    };
  }

  writeOnnx(graph: OperatorGraph, input: string): string {
    const { stride } = this.options;
    return graph.add("Conv", [input, graph.constant(this.parameters.identity)], { strides: [stride, stride] });
  }
}
