// Asks Dawn for a WebGPU adapter and prints its name: a process of its own, as a driver may crash and a new driver is
// seen only by a new process. Exits with 0 when one answers, with 1 when none does, with 3 when Dawn does not load.

let gpu;
try {
  const { create } = await import("webgpu");
  gpu = create([]);
} catch (error) {
  console.error(error.message);
  process.exit(3);
}
const adapter = await gpu.requestAdapter();
if (!adapter) process.exit(1);
const { description, device, vendor } = adapter.info;
console.log(description || device || vendor || "unnamed");
