/** Layers without parameters. */
import { InputError } from "../../errors.js";
import {
  avgPool2d,
  avgPool2dBackward,
  dropout,
  dropoutBackward,
  globalAvgPool,
  globalAvgPoolBackward,
  maxPool2d,
  maxPool2dBackward,
  pool2dShape,
  relu,
  reluBackward,
} from "../../kernels/index.js";
import { expectRank, reshape, sizeOf, type Shape, type Tensor } from "../../tensor/index.js";
import type { Activation, Module, OperatorGraph, Pass } from "../module.js";

/** A square window of a pooling, in pixels, and how it moves. */
export interface Window {
  /** Its side. */
  kernel: number;
  /** From one window to the next. */
  stride: number;
  /** Around the image, at most half of `kernel`; 0 where absent. */
  padding?: number;
}

/** A window in the words of ONNX. */
function windowAttributes({ kernel, stride, padding = 0 }: Readonly<Window>): Record<string, number[]> {
  return {
    kernel_shape: [kernel, kernel],
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
  };
}

/**
 * The largest value of each window, then ReLU where asked, which is the same as ReLU first and less work: [B, C, H, W]
 * to [B, C, H', W'].
 */
export class MaxPool2d implements Module {
  constructor(readonly window: Readonly<Window> & { readonly relu?: boolean }) {}

  outputShape(input: Shape): Shape {
    return pool2dShape(input, this.window);
  }

  forward({ recorder }: Pass, input: Tensor<"f32">): Activation {
    const output = maxPool2d(recorder, input, this.window);
    return {
      output,
      backward: (gradient, inputNeeded) =>
        inputNeeded ? maxPool2dBackward(recorder, input, output, gradient, this.window) : undefined,
    };
  }

  writeOnnx(graph: OperatorGraph, input: string): string {
    const output = graph.add("MaxPool", [input], windowAttributes(this.window));
    return this.window.relu ? graph.add("Relu", [output]) : output;
  }
}

/** The mean of each window: [B, C, H, W] to [B, C, H', W']. */
export class AvgPool2d implements Module {
  constructor(private readonly window: Window) {}

  outputShape(input: Shape): Shape {
    return pool2dShape(input, this.window);
  }

  forward({ recorder }: Pass, input: Tensor<"f32">): Activation {
    return {
      output: avgPool2d(recorder, input, this.window),
      backward: (gradient, inputNeeded) =>
        inputNeeded ? avgPool2dBackward(recorder, gradient, input.shape, this.window) : undefined,
    };
  }

  writeOnnx(graph: OperatorGraph, input: string): string {
    return graph.add("AveragePool", [input], { ...windowAttributes(this.window), count_include_pad: 1 });
  }
}

/** The mean of each channel: [B, C, H, W] to [B, C]. */
export class GlobalAvgPool implements Module {
  outputShape(input: Shape): Shape {
    expectRank("global average pool", "input", input, "N C H W");
    return input.slice(0, 2);
  }

  forward({ recorder }: Pass, input: Tensor<"f32">): Activation {
    return {
      output: globalAvgPool(recorder, input),
      backward: (gradient, inputNeeded) =>
        inputNeeded ? globalAvgPoolBackward(recorder, gradient, input.shape) : undefined,
    };
  }

  writeOnnx(graph: OperatorGraph, input: string): string {
    return graph.add("Flatten", [graph.add("GlobalAveragePool", [input])]);
  }
}

/** max(0, x). */
export class ReLU implements Module {
  outputShape(input: Shape): Shape {
    return input;
  }

  forward({ recorder }: Pass, input: Tensor<"f32">): Activation {
    const output = relu(recorder, input);
    return {
      output,
      backward: (gradient, inputNeeded) => (inputNeeded ? reluBackward(recorder, output, gradient) : undefined),
    };
  }

  writeOnnx(graph: OperatorGraph, input: string): string {
    return graph.add("Relu", [input]);
  }
}

/** Zeroes each value with probability `rate` where the pass has dropout, and scales the rest by 1 / (1 − rate). */
export class Dropout implements Module {
  readonly drops: boolean;

  /** @param salt tells this layer's random numbers from those of the network's other dropout layers */
  constructor(
    private readonly rate: number,
    private readonly salt: number,
  ) {
    this.drops = rate > 0;
  }

  outputShape(input: Shape): Shape {
    return input;
  }

  /** @throws InputError where the pass has dropout and no `step` */
  forward({ recorder, training, dropout: wanted = training, seed, step }: Pass, input: Tensor<"f32">): Activation {
    if (!wanted) return { output: input, backward: (gradient) => gradient };
    if (!step) throw new InputError("Dropout: the pass has dropout and no `step`; give the step's number, u32 [1]");
    const options = { rate: this.rate, seed, counter: step, salt: this.salt };
    return {
      output: dropout(recorder, input, options),
      backward: (gradient, inputNeeded) => (inputNeeded ? dropoutBackward(recorder, gradient, options) : undefined),
    };
  }

  /** Nothing: an evaluation pass drops nothing. */
  writeOnnx(_graph: OperatorGraph, input: string): string {
    return input;
  }
}

/** [B, …] to [B, the rest multiplied]; nothing is copied. */
export class Flatten implements Module {
  outputShape(input: Shape): Shape {
    return [input[0], sizeOf(input.slice(1))];
  }

  forward(_pass: Pass, input: Tensor<"f32">): Activation {
    return {
      output: reshape(input, this.outputShape(input.shape)),
      backward: (gradient) => reshape(gradient, input.shape),
    };
  }

  writeOnnx(graph: OperatorGraph, input: string): string {
    return graph.add("Flatten", [input]);
  }
}
