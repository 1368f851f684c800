import {
  conv2d,
  conv2dInputGradient,
  conv2dShape,
  conv2dWeightGradient,
  reluBackward,
  sumChannels,
} from "../../kernels/index.js";
import { sizeOf, type Shape, type Tensor } from "../../tensor/index.js";
import { kaimingNormal, uniformFanIn } from "../initialise.js";
import { Parameter, type Activation, type LinearStart, type Module, type OperatorGraph, type Pass } from "../module.js";

/** How a {@link Conv2d} goes over the image, and what follows it. */
export interface Conv2dLayerOptions {
  /** Pixels from one output to the next; 1 where absent. */
  stride?: number;
  /** Zeros around the image; `same` keeps height and width at stride 1 (odd kernels); 0 where absent. */
  padding?: number | "same";
  /** Apply max(0, ·) to the result; false where absent. */
  relu?: boolean;
  /** Add a bias; true where absent. False for a convolution before batch normalisation, which has its own. */
  bias?: boolean;
}

/** 2-D convolution of `kernel` × `kernel`: [B, inputs, H, W] to [B, outputs, H', W']. */
export class Conv2d implements Module {
  readonly parameters: Readonly<Record<string, Parameter>>;
  private readonly stride: number;
  private readonly padding: number;
  private readonly relu: boolean;

  constructor(inputs: number, outputs: number, kernel: number, options: Conv2dLayerOptions = {}) {
    const { stride = 1, padding = 0, relu = false, bias = true } = options;
    this.stride = stride;
    this.padding = padding === "same" ? (kernel - 1) / 2 : padding;
    this.relu = relu;
    const shape = [outputs, inputs, kernel, kernel];
    const fanIn = inputs * kernel * kernel;
    // Layers without a bias are those of ResNets, which begin as He et al. 2015 did; others as PyTorch's default.
    const weight = bias ? uniformFanIn(shape, fanIn) : kaimingNormal(shape, outputs * kernel * kernel);
    this.parameters = {
      weight: new Parameter(shape, "trained", weight),
      ...(bias ? { bias: new Parameter([outputs], "trained", uniformFanIn([outputs], fanIn)) } : {}),
    };
  }

  outputShape(input: Shape): Shape {
    const { weight, bias } = this.parameters;
    return conv2dShape(input, weight.shape, (bias as Parameter | undefined)?.shape, {
      stride: this.stride,
      padding: this.padding,
    });
  }

  multiplyAdds(input: Shape): number {
    return sizeOf(this.outputShape(input)) * sizeOf(this.parameters.weight.shape.slice(1));
  }

  linearStart(): LinearStart {
    const { weight, bias } = this.parameters;
    const { stride, padding, relu } = this;
    return {
      outputShape: (input) => this.outputShape(input),
      multiplyAdds: (input) => this.multiplyAdds(input),
      map: (recorder, input) => conv2d(recorder, input, weight.value, undefined, { stride, padding }),
      bias,
      relu,
      rest: [],
    };
  }

  forward({ recorder }: Pass, input: Tensor<"f32">): Activation {
    const { weight } = this.parameters;
    const bias = this.parameters.bias as Parameter | undefined;
    const { stride, padding, relu } = this;
    const output = conv2d(recorder, input, weight.value, bias?.value, { stride, padding, relu });
    return {
      output,
      backward(gradient, inputNeeded) {
        const own = relu ? reluBackward(recorder, output, gradient) : gradient;
        const geometry = { stride, padding };
        conv2dWeightGradient(recorder, input, own, weight.shape, { ...geometry, out: weight.gradient });
        if (bias) sumChannels(recorder, own, { out: bias.gradient });
        return inputNeeded ? conv2dInputGradient(recorder, own, weight.value, input.shape, geometry) : undefined;
      },
    };
  }

  writeOnnx(graph: OperatorGraph, input: string): string {
    const { stride, padding, relu } = this;
    const { weight } = this.parameters;
    const bias = this.parameters.bias as Parameter | undefined;
    const inputs = [input, graph.constant(weight), ...(bias ? [graph.constant(bias)] : [])];
    const output = graph.add("Conv", inputs, {
      kernel_shape: weight.shape.slice(2),
      strides: [stride, stride],
      pads: [padding, padding, padding, padding],
    });
    return relu ? graph.add("Relu", [output]) : output;
  }
}
