/** Modules made of modules. */
import { ShapeError } from "../../errors.js";
import { add, reluBackward } from "../../kernels/index.js";
import type { Shape, Tensor } from "../../tensor/index.js";
import {
  writeModule,
  type Activation,
  type FeatureActivation,
  type LinearStart,
  type Module,
  type OperatorGraph,
  type Pass,
} from "../module.js";
import { MaxPool2d } from "./simple.js";

/**
 * One module after the other, in the order of the names: that in which JavaScript lists them, whole numbers first and
 * growing, the others as they were written.
 */
export class Sequential implements Module {
  constructor(readonly children: Readonly<Record<string, Module>>) {}

  /** Parts named by their place: `0`, `1`, … */
  static of(...modules: Module[]): Sequential {
    return new Sequential(Object.fromEntries(modules.map((module, index) => [String(index), module])));
  }

  outputShape(input: Shape): Shape {
    return Object.values(this.children).reduce((shape, module) => module.outputShape(shape), input);
  }

  multiplyAdds(input: Shape): number {
    let shape = input;
    let total = 0;
    for (const module of Object.values(this.children)) {
      total += module.multiplyAdds?.(shape) ?? 0;
      shape = module.outputShape(shape);
    }
    return total;
  }

  /** The first module's, with a max pooling that follows at once. */
  linearStart(): LinearStart | undefined {
    const modules = Object.values(this.children);
    const start = modules.at(0)?.linearStart?.();
    if (!start) return undefined;
    const rest = [...start.rest, ...modules.slice(1)];
    const next = rest.at(0);
    if (start.pool || !(next instanceof MaxPool2d)) return { ...start, rest };
    const { kernel, stride, padding = 0, relu = false } = next.window;
    if (padding > 0) return { ...start, rest };
    return { ...start, relu: start.relu || relu, pool: { kernel, stride }, rest: rest.slice(1) };
  }

  forward(pass: Pass, input: Tensor<"f32">): Activation {
    return inOrder(input, forwardAll(pass, input, Object.values(this.children)));
  }

  /** @throws ShapeError where the last module does not end in a linear layer. */
  forwardWithFeatures(pass: Pass, input: Tensor<"f32">): FeatureActivation {
    const modules = Object.values(this.children);
    const last = modules.at(-1);
    if (!last?.forwardWithFeatures) {
      const found = last
        ? `the last of ${modules.length} modules is a ${last.constructor.name}`
        : "there are no modules";
      throw new ShapeError(`features: ${found}; expected a linear layer at the end, whose input the features are`);
    }
    const before = forwardAll(pass, input, modules.slice(0, -1));
    const end = last.forwardWithFeatures(pass, before.at(-1)?.output ?? input);
    return { ...inOrder(input, [...before, end]), features: end.features };
  }

  writeOnnx(graph: OperatorGraph, input: string): string {
    return Object.values(this.children).reduce((value, module) => writeModule(graph, module, value), input);
  }
}

/** Records one module after the other. */
function forwardAll(pass: Pass, input: Tensor<"f32">, modules: readonly Module[]): Activation[] {
  const activations: Activation[] = [];
  for (const module of modules) activations.push(module.forward(pass, activations.at(-1)?.output ?? input));
  return activations;
}

/** One activation of several, each of which has the output of the one before for its input. */
function inOrder(input: Tensor<"f32">, activations: readonly Activation[]): Activation {
  return {
    output: activations.at(-1)?.output ?? input,
    backward(gradient, inputNeeded) {
      let upstream: Tensor<"f32"> | undefined = gradient;
      for (let index = activations.length - 1; index >= 0; index--) {
        upstream = activations[index].backward(upstream!, index > 0 || inputNeeded);
      }
      return upstream;
    },
  };
}

/** relu(main(x) + shortcut(x)); the shortcut is x itself where absent (He et al. 2015, figure 2). */
export class Residual implements Module {
  readonly children: Readonly<Record<string, Module>>;

  /** @param main its parts become children of the block, so that names read `layer1.0.conv1.weight` */
  constructor(
    private readonly main: Sequential,
    private readonly shortcut?: Module,
  ) {
    this.children = { ...main.children, ...(shortcut ? { downsample: shortcut } : {}) };
  }

  outputShape(input: Shape): Shape {
    return this.main.outputShape(input);
  }

  multiplyAdds(input: Shape): number {
    return this.main.multiplyAdds(input) + (this.shortcut?.multiplyAdds?.(input) ?? 0);
  }

  forward(pass: Pass, input: Tensor<"f32">): Activation {
    const { recorder } = pass;
    const main = this.main.forward(pass, input);
    const shortcut = this.shortcut?.forward(pass, input);
    const output = add(recorder, main.output, shortcut?.output ?? input, { relu: true });
    return {
      output,
      backward(gradient, inputNeeded) {
        const own = reluBackward(recorder, output, gradient);
        const throughMain = main.backward(own, inputNeeded);
        const throughShortcut = shortcut ? shortcut.backward(own, inputNeeded) : own;
        return inputNeeded ? add(recorder, throughMain!, throughShortcut!) : undefined;
      },
    };
  }

  writeOnnx(graph: OperatorGraph, input: string): string {
    const main = this.main.writeOnnx(graph, input);
    const shortcut = this.shortcut ? writeModule(graph, this.shortcut, input) : input;
    return graph.add("Relu", [graph.add("Add", [main, shortcut])]);
  }
}
