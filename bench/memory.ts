import { formatTable } from "../cli/table.js";
import type { Device, DeviceInfo, Prepared, Storage } from "../src/tensor/index.js";
import { createTrainer, lenet5, vgg16, type Workload } from "./cases/networks.js";

/** The memory of one training step, in bytes. */
export interface StepMemory {
  readonly name: string;
  /** Parameters, their gradients and running statistics. */
  readonly network: number;
  /** The optimizer's moments. */
  readonly optimizer: number;
  /** Intermediates if none shared memory, as they do share it, and the most that is in use at one launch. */
  readonly unshared: number;
  readonly shared: number;
  readonly least: number;
}

/** The steps that are reported. */
const steps: readonly { workload: Workload; batch: number }[] = [
  { workload: vgg16, batch: 128 },
  { workload: lenet5, batch: 64 },
];

/** Takes recordings as a device like another does, but holds no memory and runs nothing. */
class PlanningDevice implements Device {
  constructor(
    readonly info: DeviceInfo,
    readonly capabilities: Device["capabilities"],
  ) {}

  allocate(bytes: number): Storage {
    return { bytes };
  }

  free(): void {
    // Nothing was allocated.
  }

  write(): void {
    // There is no memory to write to.
  }

  read(): never {
    throw new Error("a planning device has no memory to read from");
  }

  async prepare(): Promise<Prepared> {
    return { run: () => undefined, dispose: () => undefined };
  }

  async finish(): Promise<void> {
    // Nothing runs.
  }

  stats(): never {
    throw new Error("a planning device counts nothing");
  }

  useTuned(): void {
    // What is tuned is in the capabilities already.
  }

  destroy(): void {
    // There is nothing to free.
  }
}

/** What the training steps take on a device like the given one, from their recordings alone: nothing is allocated. */
export async function planSteps({ info, capabilities }: Device): Promise<StepMemory[]> {
  const planned: StepMemory[] = [];
  for (const { workload, batch } of steps) {
    const device = new PlanningDevice(info, capabilities);
    const { recording, network, dispose } = await createTrainer(device, workload, batch);
    const moments = workload.optimizer.kind === "adam" ? 2 : 1;
    planned.push({
      name: `${workload.architecture} training, batch ${batch}`,
      network: network.values.bytes + network.gradients.bytes,
      optimizer: moments * network.values.bytes,
      unshared: recording.unsharedBytes,
      shared: recording.temporaryBytes,
      least: recording.leastBytes,
    });
    dispose();
  }
  return planned;
}

/** The steps as a table, in MB, with the peak before and after sharing. */
export function formatMemory(steps: readonly StepMemory[]): string {
  const megabytes = (bytes: number) => (bytes >= 1e8 ? (bytes / 1e6).toFixed(0) : (bytes / 1e6).toPrecision(3));
  const header = ["MB", "unshared", "shared", "least", "weights", "optimizer", "peak before", "peak after"];
  const cells = steps.map(({ name, network, optimizer, unshared, shared, least }) => [
    name,
    ...[unshared, shared, least, network, optimizer, unshared + network + optimizer, shared + network + optimizer].map(
      megabytes,
    ),
  ]);
  return [
    formatTable([header, ...cells]),
    "",
    "unshared, shared: intermediates with memory of their own, and as their lifetimes let them share it;",
    "least: the most that is in use at one launch, which no plan can go below; weights: with their gradients;",
    "peak: intermediates, weights and optimizer, before and after sharing. Images are not counted.",
  ].join("\n");
}
