/** An adapter in words, its driver among them. */
export function describeAdapter(info: GPUAdapterInfo): string {
  return [info.description, info.device, info.architecture, info.vendor].join(" ");
}

/** Whether the adapter computes on the CPU. */
export function isSoftware(info: GPUAdapterInfo): boolean {
  return info.isFallbackAdapter || /llvmpipe|swiftshader|software|microsoft basic/i.test(describeAdapter(info));
}

/** Invocations in each of the adapter's subgroups; 0 where it varies their size. */
export function fixedSubgroupSize({ subgroupMinSize, subgroupMaxSize }: GPUAdapterInfo): number {
  return subgroupMinSize === subgroupMaxSize ? (subgroupMinSize ?? 0) : 0;
}
