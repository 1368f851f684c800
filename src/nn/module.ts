import { InputError } from "../errors.js";
import type { FeaturePool } from "../kernels/index.js";
import type { Philox, Recorder, Shape, Tensor } from "../tensor/index.js";

/** Draws a parameter's first values. */
export type Initialiser = (random: Philox) => Float32Array;

/**
 * What a parameter is for: `trained` ones have a gradient, `statistic` ones are kept by the layer itself (running
 * means), `constant` ones never change and are not saved.
 */
export type ParameterRole = "trained" | "statistic" | "constant";

/** A named array of a layer. The network that the layer belongs to gives it memory. */
export class Parameter {
  private valueTensor: Tensor<"f32"> | undefined;
  private gradientTensor: Tensor<"f32"> | undefined;

  constructor(
    readonly shape: Shape,
    readonly role: ParameterRole,
    readonly initialise: Initialiser,
  ) {}

  /** Its numbers, of shape {@link shape}. */
  get value(): Tensor<"f32"> {
    return this.valueTensor!;
  }

  /** Where backward writes the gradient of the loss; of trained parameters alone. */
  get gradient(): Tensor<"f32"> {
    return this.gradientTensor!;
  }

  place(value: Tensor<"f32">, gradient?: Tensor<"f32">): void {
    this.valueTensor = value;
    this.gradientTensor = gradient;
  }
}

/** What a forward pass is recorded with. */
export interface Pass {
  readonly recorder: Recorder;
  /** Batch statistics and dropout where true; running statistics and no dropout where false. */
  readonly training: boolean;
  /**
   * Whether there is dropout, where that is not as `training` says. With running statistics it is Monte-Carlo dropout:
   * each pass is a draw of a network (Gal and Ghahramani, ICML 2016, arXiv 1506.02142).
   */
  readonly dropout?: boolean | undefined;
  /** Seed of dropout. */
  readonly seed: number;
  /** Number of the step, u32 [1] in device memory: each drops other values. Needed where there is dropout. */
  readonly step?: Tensor<"u32"> | undefined;
}

/** A layer's output, with the way back. */
export interface Activation {
  readonly output: Tensor<"f32">;
  /**
   * Records the gradients of the layer's parameters (into {@link Parameter.gradient}) and of its input.
   * @param gradient gradient of the loss with respect to `output`, of its shape
   * @param inputNeeded whether the gradient of the input is wanted; nothing is recorded for it otherwise
   */
  backward(gradient: Tensor<"f32">, inputNeeded: boolean): Tensor<"f32"> | undefined;
}

/** The output of a module that ends in a linear layer, with that layer's input: the penultimate features. */
export interface FeatureActivation extends Activation {
  /** [B, F], of the same images, row for row, as `output` [B, classes]. */
  readonly features: Tensor<"f32">;
}

/**
 * How a module begins that begins with a linear map: it computes rest(pool(relu(map(x) + bias))). A blend of inputs goes
 * through the map as the blend of their outputs, so that many blends of few inputs need it once an input.
 */
export interface LinearStart {
  /** Shape of the map's output for an input of shape `input`, batch first. */
  outputShape(input: Shape): Shape;
  /** Multiply-adds of the map for an input of shape `input`. */
  multiplyAdds(input: Shape): number;
  /** Records the map of `input`. */
  map(recorder: Recorder, input: Tensor<"f32">): Tensor<"f32">;
  /** Added to each channel of what the map gives. */
  readonly bias?: Parameter | undefined;
  readonly relu: boolean;
  readonly pool?: FeaturePool | undefined;
  /** The modules that follow, in order. */
  readonly rest: readonly Module[];
}

/** A network as ONNX operators, while modules write themselves into it. */
export interface OperatorGraph {
  /**
   * Adds an operator of the default domain.
   * @param inputs names of values
   * @param attributes those that are no default, whole numbers and lists of them
   * @returns the name of its only result
   */
  add(operator: string, inputs: readonly string[], attributes?: Readonly<Record<string, number | number[]>>): string;
  /** The name of the constant that holds a parameter's numbers. */
  constant(parameter: Parameter): string;
}

/** A layer, or several. */
export interface Module {
  /** Own parameters by PyTorch's local names, for example `weight`. */
  readonly parameters?: Readonly<Record<string, Parameter>>;
  /** Parts by name. */
  readonly children?: Readonly<Record<string, Module>>;
  /**
   * Shape of the output for an input of shape `input`, batch first.
   * @throws ShapeError where the module cannot take it.
   */
  outputShape(input: Shape): Shape;
  /** Whether the module itself, not one of its parts, drops values by chance where there is dropout. */
  readonly drops?: boolean;
  /** Records the forward pass. */
  forward(pass: Pass, input: Tensor<"f32">): Activation;
  /** Multiply-adds of the convolutions and matrix products of a forward pass; none where absent. */
  multiplyAdds?(input: Shape): number;
  /** How the module begins, where that is with a linear map. */
  linearStart?(): LinearStart | undefined;
  /**
   * Records the forward pass of a module that ends in a linear layer, and gives that layer's input too. Absent where it
   * ends in another.
   * @throws ShapeError where the module is made of parts and the last of them ends in another layer.
   */
  forwardWithFeatures?(pass: Pass, input: Tensor<"f32">): FeatureActivation;
  /**
   * Writes the evaluation pass as ONNX operators. Absent where the module cannot be exported.
   * @param input the name of its input's value
   * @returns the name of its output's value
   */
  writeOnnx?(graph: OperatorGraph, input: string): string;
}

/**
 * Writes a module as ONNX operators.
 * @returns the name of its output's value
 * @throws InputError where the module, or a part of it, does not say how.
 */
export function writeModule(graph: OperatorGraph, module: Module, input: string): string {
  if (!module.writeOnnx) {
    throw new InputError(
      `export: ${module.constructor.name} does not say which ONNX operators it is; give it the method writeOnnx()`,
    );
  }
  return module.writeOnnx(graph, input);
}

/** All parameters of a module and of its parts, by full names such as `layer1.0.conv1.weight`, in order. */
export function namedParameters(module: Module, prefix = ""): Map<string, Parameter> {
  const named = new Map<string, Parameter>();
  for (const [name, parameter] of Object.entries(module.parameters ?? {})) named.set(prefix + name, parameter);
  for (const [name, child] of Object.entries(module.children ?? {})) {
    for (const [full, parameter] of namedParameters(child, `${prefix}${name}.`)) named.set(full, parameter);
  }
  return named;
}

/** Whether a module or one of its parts drops values by chance where there is dropout. */
export function hasDropout(module: Module): boolean {
  return module.drops === true || Object.values(module.children ?? {}).some(hasDropout);
}
