import { InputError, ShapeError } from "../errors.js";
import {
  createTensor,
  formatShape,
  Philox,
  RandomStream,
  readTensor,
  sameShape,
  sizeOf,
  slice,
  writeTensor,
  type Device,
  type Shape,
  type Tensor,
} from "../tensor/index.js";
import {
  hasDropout,
  namedParameters,
  writeModule,
  type Activation,
  type FeatureActivation,
  type LinearStart,
  type Module,
  type OperatorGraph,
  type Parameter,
  type ParameterRole,
  type Pass,
} from "./module.js";
import { buildModule, type ImageShape } from "./networks/index.js";

/** What a network is, apart from its weights: all that a file's metadata says of it. */
export interface NetworkSpec {
  /** One of {@link architectures}, or a name that {@link defineNetwork} was given. */
  readonly architecture: string;
  readonly image: ImageShape;
  readonly classes: number;
  /** For each channel: the network sees (pixel / 255 − mean) / deviation. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  readonly classNames?: readonly string[];
}

/** Values by parameter name. */
export type NetworkState = ReadonlyMap<string, { shape: Shape; data: Float32Array }>;

/**
 * A network with its weights on a device. All trained parameters lie in one tensor, {@link values}, their gradients at
 * the same places of {@link gradients}, so that one dispatch updates them all.
 */
export class Network {
  readonly values: Tensor<"f32">;
  readonly gradients: Tensor<"f32">;
  /** What layers keep by themselves, such as running means, in one tensor; [1] where there are none. */
  readonly statistics: Tensor<"f32">;
  /** By full names, in order. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  private readonly module: Module;
  private readonly constants: Tensor<"f32">;

  /**
   * Gives the network memory and the first values that `seed` draws.
   * @throws InputError where there is no such architecture, a layer with parameters is in it twice, or the images are too
   * small for it.
   */
  constructor(
    readonly device: Device,
    readonly spec: NetworkSpec,
    seed: number,
  ) {
    this.module = buildModule(spec.architecture, spec.image, spec.classes);
    this.parameters = namedParameters(this.module);
    expectEachOnce(this.parameters);
    [this.values, this.gradients] = this.allocate("trained", "parameters", "gradients");
    [this.statistics] = this.allocate("statistic", "statistics");
    [this.constants] = this.allocate("constant", "constants");
    this.initialise(seed);
  }

  /** Number of trained numbers. */
  get size(): number {
    const trained = [...this.parameters.values()].filter(({ role }) => role === "trained");
    return trained.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  }

  /** Multiply-adds of the convolutions and matrix products of one image's forward pass. */
  get multiplyAdds(): number {
    return this.module.multiplyAdds?.(this.inputShape) ?? 0;
  }

  /** How the network begins, where that is with a linear map. */
  get linearStart(): LinearStart | undefined {
    return this.module.linearStart?.();
  }

  /** Whether passes with dropout differ. */
  get hasDropout(): boolean {
    return hasDropout(this.module);
  }

  /** Shape of one image, [1, C, H, W]. */
  get inputShape(): Shape {
    const { channels, height, width } = this.spec.image;
    return [1, channels, height, width];
  }

  /** Records the forward pass of normalised images, [B, C, H, W] to logits [B, classes]. */
  forward(pass: Pass, images: Tensor<"f32">): Activation {
    return this.module.forward(pass, images);
  }

  /**
   * The same, with the penultimate features [B, F]: the input of the last linear layer.
   * @throws ShapeError where the network does not end in a linear layer.
   */
  forwardWithFeatures(pass: Pass, images: Tensor<"f32">): FeatureActivation {
    if (!this.module.forwardWithFeatures) {
      throw new ShapeError(`features: ${this.spec.architecture} does not end in a linear layer, whose input they are`);
    }
    return this.module.forwardWithFeatures(pass, images);
  }

  /** Writes the evaluation pass of normalised images as ONNX operators; see {@link writeModule}. */
  writeOnnx(graph: OperatorGraph, images: string): string {
    return writeModule(graph, this.module, images);
  }

  /** Draws all values anew: the same from the same seed, on every device. */
  initialise(seed: number): void {
    for (const [index, parameter] of [...this.parameters.values()].entries()) {
      writeTensor(parameter.value, parameter.initialise(new Philox(seed, RandomStream.initialise, index)));
    }
  }

  /** Reads the trained values and the statistics. */
  async state(): Promise<NetworkState> {
    const [values, statistics] = await Promise.all([readTensor(this.values), readTensor(this.statistics)]);
    const state = new Map<string, { shape: Shape; data: Float32Array }>();
    for (const [name, { shape, role, value }] of this.parameters) {
      if (role === "constant") continue;
      const from = role === "trained" ? values : statistics;
      const start = value.byteOffset / 4;
      state.set(name, { shape, data: from.slice(start, start + sizeOf(shape)) });
    }
    return state;
  }

  /**
   * Takes over stored values.
   * @param source named in errors, for example the file
   * @throws InputError where a value is missing, unknown, of another shape, or no finite number; nothing is taken then
   */
  load(state: NetworkState, source: string): void {
    checkState(this.parameters, state, `${source}, as ${this.spec.architecture}`);
    for (const [name, { role, value }] of this.parameters) {
      if (role !== "constant") writeTensor(value, state.get(name)!.data);
    }
  }

  dispose(): void {
    for (const tensor of [this.values, this.gradients, this.statistics, this.constants]) tensor.dispose();
  }

  /** One tensor for all parameters of a role, and a second for their gradients where it has a name. */
  private allocate(role: ParameterRole, ...names: string[]): Tensor<"f32">[] {
    const alignment = Math.max(1, this.device.capabilities.offsetAlignment / 4);
    const own = [...this.parameters].filter(([, parameter]) => parameter.role === role);
    const offsets: number[] = [];
    let size = 0;
    for (const [, { shape }] of own) {
      offsets.push(size);
      size += Math.ceil(sizeOf(shape) / alignment) * alignment;
    }
    const tensors = names.map((name) => createTensor(this.device, [Math.max(size, 1)], { name }));
    for (const [index, [name, parameter]] of own.entries()) {
      const [value, gradient] = tensors.map((tensor) => slice(tensor, offsets[index], parameter.shape, name));
      parameter.place(value, gradient);
    }
    return tensors;
  }
}

/**
 * Requires layers to be there once: backward writes gradients, and of two that use a parameter one would be lost.
 * @throws InputError
 */
function expectEachOnce(parameters: ReadonlyMap<string, Parameter>): void {
  const names = new Map<Parameter, string>();
  for (const [name, parameter] of parameters) {
    const first = names.get(parameter);
    if (first !== undefined) {
      throw new InputError(
        `network: "${name}" is the parameter "${first}" again; a layer with parameters can be in a network once: ` +
          "make another",
      );
    }
    names.set(parameter, name);
  }
}

/**
 * Requires stored values to be those of the parameters.
 * @throws InputError where one is missing, unknown, of another shape, or holds what is no finite number.
 */
export function checkState(parameters: ReadonlyMap<string, Parameter>, state: NetworkState, source: string): void {
  for (const name of state.keys()) {
    if (!parameters.has(name)) throw new InputError(`${source}: holds "${name}", which the network has not`);
  }
  for (const [name, { shape, role }] of parameters) {
    if (role === "constant") continue;
    const stored = state.get(name);
    if (!stored) throw new InputError(`${source}: lacks "${name}" ${formatShape(shape)}, which the network has`);
    if (!sameShape(stored.shape, shape)) {
      throw new InputError(
        `${source}: "${name}" is ${formatShape(stored.shape)}; the network expects ${formatShape(shape)}`,
      );
    }
    const wrong = stored.data.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) {
      throw new InputError(`${source}: "${name}" holds ${stored.data[wrong]} at ${wrong}; expected finite weights`);
    }
  }
}
