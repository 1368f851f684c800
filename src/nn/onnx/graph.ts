import type { Shape } from "../../tensor/index.js";
import type { OperatorGraph, Parameter } from "../module.js";

/** An operator of a graph. */
export interface OnnxNode {
  readonly name: string;
  readonly operator: string;
  readonly inputs: readonly string[];
  /** Name of its only result. */
  readonly output: string;
  /** Whole numbers and lists of them. */
  readonly attributes: Readonly<Record<string, number | readonly number[]>>;
}

/** Numbers of a graph that never change. */
export interface OnnxConstant {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** Collects the operators of a network in the order in which they run, and which parameters they need. */
export class OnnxGraphBuilder implements OperatorGraph {
  readonly nodes: OnnxNode[] = [];
  /** By the names that {@link constant} gave. */
  readonly parameters = new Map<string, Parameter>();
  private readonly names: ReadonlyMap<Parameter, string>;
  private readonly used = new Map<string, number>();

  /** @param parameters the network's, by full names */
  constructor(parameters: ReadonlyMap<string, Parameter>) {
    this.names = new Map([...parameters].map(([name, parameter]) => [parameter, name]));
  }

  /** A node is called after the layer whose parameters it takes (`layer1.0.conv1`), or else after its operator. */
  add(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, number | number[]>> = {},
  ): string {
    const parameter = inputs.find((input) => this.parameters.has(input));
    const name = this.unused(parameter?.replace(/\.[^.]*$/, "") ?? operator.toLowerCase());
    const output = `${name}.output`;
    this.nodes.push({ name, operator, inputs, output, attributes });
    return output;
  }

  constant(parameter: Parameter): string {
    const name = this.names.get(parameter);
    if (name === undefined) throw new Error("export: a module has a parameter that it does not list");
    this.parameters.set(name, parameter);
    return name;
  }

  /** Gives the result of the last operator another name. */
  renameLast(output: string): void {
    this.nodes.push({ ...this.nodes.pop()!, output });
  }

  /** `relu`, `relu_2`, `relu_3` for the first, second, third of a name. */
  private unused(name: string): string {
    const count = (this.used.get(name) ?? 0) + 1;
    this.used.set(name, count);
    return count === 1 ? name : `${name}_${count}`;
  }
}
