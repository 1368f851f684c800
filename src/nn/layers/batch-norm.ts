import { batchNormBackward, batchNormEvaluate, batchNormTrain, reluBackward } from "../../kernels/index.js";
import { expectShape, type Shape, type Tensor } from "../../tensor/index.js";
import { ones, zeros } from "../initialise.js";
import { Parameter, type Activation, type Module, type OperatorGraph, type Pass } from "../module.js";

/**
 * Batch normalisation over the channels of [B, C] or [B, C, H, W] (Ioffe and Szegedy, 2015), momentum 0.1, then ReLU
 * where asked.
 */
export class BatchNorm implements Module {
  readonly parameters;

  constructor(
    private readonly channels: number,
    private readonly options: { relu?: boolean } = {},
  ) {
    this.parameters = {
      weight: new Parameter([channels], "trained", ones([channels])),
      bias: new Parameter([channels], "trained", zeros([channels])),
      running_mean: new Parameter([channels], "statistic", zeros([channels])),
      running_var: new Parameter([channels], "statistic", ones([channels])),
    };
  }

  outputShape(input: Shape): Shape {
    expectShape("batch norm", "input", input, [input[0], this.channels, ...input.slice(2)]);
    return input;
  }

  /** Of an evaluation pass, `backward` throws an Error: there is no gradient through running statistics here. */
  forward({ recorder, training }: Pass, input: Tensor<"f32">): Activation {
    const { weight, bias } = this.parameters;
    const { relu } = this.options;
    const state = {
      gamma: weight.value,
      beta: bias.value,
      runningMean: this.parameters.running_mean.value,
      runningVariance: this.parameters.running_var.value,
    };
    if (!training) {
      return { output: batchNormEvaluate(recorder, input, state, { relu }), backward: refuseBackward };
    }
    const { out, ...saved } = batchNormTrain(recorder, input, state, { relu });
    return {
      output: out,
      backward(gradient) {
        const own = relu ? reluBackward(recorder, out, gradient) : gradient;
        const target = { gammaGradient: weight.gradient, betaGradient: bias.gradient };
        return batchNormBackward(recorder, input, own, weight.value, saved, target).dX;
      },
    };
  }

  writeOnnx(graph: OperatorGraph, input: string): string {
    const { weight, bias, running_mean: mean, running_var: variance } = this.parameters;
    // The operator's own epsilon is that of `batchNormEvaluate`.
    const inputs = [weight, bias, mean, variance].map((parameter) => graph.constant(parameter));
    const output = graph.add("BatchNormalization", [input, ...inputs]);
    return this.options.relu ? graph.add("Relu", [output]) : output;
  }
}

function refuseBackward(): never {
  throw new Error("batch norm: backward of an evaluation pass; record the forward pass with training: true");
}
