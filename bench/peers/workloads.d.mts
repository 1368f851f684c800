export interface Workload {
  readonly name: string;
  readonly kind: string;
  /** Floating-point operations, bytes or images of one run. */
  readonly work: number;
  readonly unit: "GFLOP/s" | "GB/s" | "images/s";
  readonly sets: readonly ("cpu" | "gpu")[];
  readonly full?: boolean;
  readonly peers?: readonly string[];
}

export const workloads: readonly Workload[];
export const perUnit: Readonly<Record<Workload["unit"], number>>;
export function chooseWorkloads(choice: {
  set: "cpu" | "gpu";
  full?: boolean;
  only?: readonly string[];
}): readonly Workload[];
export function rate(workload: Pick<Workload, "work" | "unit">, seconds: number): number;
