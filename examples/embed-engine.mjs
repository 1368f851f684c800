// The engine in 20 lines: matrices on the GPU, or on what there is. In a folder of your own:
//
//     npm install /path/to/activemixup-0.1.0.tgz && node embed-engine.mjs

import { matmul } from "activemixup/kernels";
import { createTensor, openDevice, readTensor, record } from "activemixup/tensor";

const device = await openDevice("auto"); // A GPU, else a software adapter, else the CPU.
const a = createTensor(device, [2, 3], { data: [1, 2, 3, 4, 5, 6] });
const b = createTensor(device, [3, 2], { data: [1, 0, 0, 1, 1, 1] });

const product = await record(device, (recorder) => recorder.keep(matmul(recorder, a, b)));
product.run(); // As often as you like: nothing is checked, allocated or compiled any more.
console.log(...(await readTensor(product.result))); // 4 5 10 11

product.dispose();
for (const tensor of [a, b]) tensor.dispose();
device.destroy();
