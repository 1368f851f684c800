import { DeviceError } from "../../errors.js";
import type { Program } from "../launch.js";
import type { StatsCounter } from "../stats.js";
import type { Wait } from "./wait.js";

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Compiles programs, each once; layouts are shared by the number of tensors read and written. */
export class PipelineCache {
  private readonly pipelines = new Map<string, Promise<Pipeline>>();
  private readonly layouts = new Map<string, { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout }>();

  constructor(
    private readonly device: GPUDevice,
    private readonly counter: StatsCounter,
    private readonly wait: Wait,
  ) {}

  /** The pipeline of `program` for so many bindings; calls that overlap share one compilation. */
  get(program: Program, reads: number, writes: number): Promise<Pipeline> {
    const code = assemble(program);
    const key = `${reads} ${writes}\n${code}`;
    let pipeline = this.pipelines.get(key);
    if (!pipeline) {
      pipeline = this.compile(program.name, code, reads, writes);
      this.pipelines.set(key, pipeline);
      this.counter.pipelinesCreated++;
    }
    return pipeline;
  }

  private async compile(name: string, code: string, reads: number, writes: number): Promise<Pipeline> {
    // Within an error scope, so that one faulty kernel does not count as the failure of the whole device.
    this.device.pushErrorScope("validation");
    const layout = this.layout(reads, writes);
    const module = this.device.createShaderModule({ label: name, code });
    const problem = this.device.popErrorScope().catch(() => null);
    try {
      const compute = { module, entryPoint: "main" };
      const pipeline = await this.wait(
        this.device.createComputePipelineAsync({ label: name, layout: layout.pipeline, compute }),
      );
      return { pipeline, layout: layout.group };
    } catch (error) {
      const reason = (await problem)?.message ?? (error as Error).message;
      const { messages } = await module.getCompilationInfo();
      const lines = code.split("\n").map((line, index) => `${String(index + 1).padStart(4)} ${line}`);
      const found = messages.map((message) => `  line ${message.lineNum}: ${message.message}`);
      throw new DeviceError(`kernel ${name} does not compile: ${reason}\n${found.join("\n")}\n${lines.join("\n")}`);
    }
  }

  private layout(reads: number, writes: number): { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout } {
    const key = `${reads} ${writes}`;
    let layout = this.layouts.get(key);
    if (!layout) {
      const types: GPUBufferBindingType[] = [
        "uniform",
        ...new Array<GPUBufferBindingType>(reads).fill("read-only-storage"),
        ...new Array<GPUBufferBindingType>(writes).fill("storage"),
      ];
      const group = this.device.createBindGroupLayout({
        entries: types.map((type, binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type } })),
      });
      layout = { group, pipeline: this.device.createPipelineLayout({ bindGroupLayouts: [group] }) };
      this.layouts.set(key, layout);
    }
    return layout;
  }
}

/** The program's whole WGSL: extensions, constants, modules. */
export function assemble({ source, enables = [], constants = {} }: Program): string {
  const extensions = enables.map((extension) => `enable ${extension};`);
  const declarations = Object.entries(constants).map(([name, value]) => `const ${name} = ${value};`);
  return [...extensions, ...declarations, ...source].join("\n");
}
