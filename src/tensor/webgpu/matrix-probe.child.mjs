// Runs one compute program on the machine's WebGPU adapter and prints what it wrote, as one line of JSON:
// {"values": [...]} or {"error": "..."}. Given to Node as text, since the process may end in a crash of the driver.
// stdin: JSON with `dawn`, the URL of the package "webgpu"; `options` for its create(); `features` of the device; `code`,
// WGSL with an entry point `main` and an array of f32 at group 0, binding 0; `size`, the number of its elements.
import { readFileSync } from "node:fs";

const { dawn, options, features, code, size } = JSON.parse(readFileSync(0, "utf8"));

async function run() {
  const { create, globals } = await import(dawn);
  Object.assign(globalThis, globals);
  const gpu = create(options);
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  const { maxComputeWorkgroupStorageSize } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredFeatures: features,
    requiredLimits: { maxComputeWorkgroupStorageSize },
  });
  try {
    return await runOn(device);
  } finally {
    device.destroy();
  }
}

async function runOn(device) {
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = globalThis.GPUBufferUsage;
  const module = device.createShaderModule({ code });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
  const buffer = device.createBuffer({ size: 4 * size, usage: STORAGE | COPY_SRC });
  const copy = device.createBuffer({ size: 4 * size, usage: COPY_DST | MAP_READ });
  const entries = [{ binding: 0, resource: { buffer } }];
  const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(buffer, 0, copy, 0, 4 * size);
  device.queue.submit([encoder.finish()]);
  await copy.mapAsync(globalThis.GPUMapMode.READ);
  return [...new Float32Array(copy.getMappedRange())];
}

try {
  console.log(JSON.stringify({ values: await run() }));
} catch (error) {
  console.log(JSON.stringify({ error: String(error.message).split("\n")[0] }));
}
