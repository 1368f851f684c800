import { matmul, reluBackward, sumChannels } from "../../kernels/index.js";
import { expectShape, type Shape, type Tensor } from "../../tensor/index.js";
import { uniformFanIn } from "../initialise.js";
import {
  Parameter,
  type Activation,
  type FeatureActivation,
  type Module,
  type OperatorGraph,
  type Pass,
} from "../module.js";

/** y = x·Wᵀ + b, with ReLU where asked: x is [B, inputs], W [outputs, inputs], b [outputs], y [B, outputs]. */
export class Linear implements Module {
  readonly parameters;

  constructor(
    private readonly inputs: number,
    private readonly outputs: number,
    private readonly options: { relu?: boolean } = {},
  ) {
    this.parameters = {
      weight: new Parameter([outputs, inputs], "trained", uniformFanIn([outputs, inputs], inputs)),
      bias: new Parameter([outputs], "trained", uniformFanIn([outputs], inputs)),
    };
  }

  outputShape(input: Shape): Shape {
    expectShape("linear", "input", input, [input[0], this.inputs]);
    return [input[0], this.outputs];
  }

  multiplyAdds([batch]: Shape): number {
    return batch * this.inputs * this.outputs;
  }

  forward({ recorder }: Pass, input: Tensor<"f32">): Activation {
    const { weight, bias } = this.parameters;
    const { relu } = this.options;
    const output = matmul(recorder, input, weight.value, bias.value, { transposeB: true, relu });
    return {
      output,
      backward(gradient, inputNeeded) {
        const own = relu ? reluBackward(recorder, output, gradient) : gradient;
        matmul(recorder, own, input, undefined, { transposeA: true, out: weight.gradient });
        sumChannels(recorder, own, { out: bias.gradient });
        return inputNeeded ? matmul(recorder, own, weight.value) : undefined;
      },
    };
  }

  forwardWithFeatures(pass: Pass, input: Tensor<"f32">): FeatureActivation {
    return { ...this.forward(pass, input), features: input };
  }

  writeOnnx(graph: OperatorGraph, input: string): string {
    const { weight, bias } = this.parameters;
    const output = graph.add("Gemm", [input, graph.constant(weight), graph.constant(bias)], { transB: 1 });
    return this.options.relu ? graph.add("Relu", [output]) : output;
  }
}
