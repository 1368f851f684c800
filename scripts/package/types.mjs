import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, runBeside } from "./run.mjs";

/** What a user of the types writes: each room, a device of their own, a network, a strategy, an observer. */
const CONSUMER = `
import { tensor, distill, type DistillReport } from "activemixup";
import { defineStrategy, RandomAcquisition, type DistillObserver, type Teacher } from "activemixup/activemixup";
import { drawDigits, type ImageSet } from "activemixup/data";
import { matmul, output, type Target } from "activemixup/kernels";
import { defineNetwork, Linear, Network, Sequential, type Module } from "activemixup/nn";
import { createTensor, openDevice, readTensor, record, type Device, type Launch, type Tensor } from "activemixup/tensor";

const device: Device = await openDevice("auto", { profile: "safe" });
const a: Tensor<"f32"> = createTensor(device, [1, 1], { data: [2] });
const product = await record(device, (recorder) => recorder.keep(matmul(recorder, a, a)));
const values: Float32Array = await readTensor(product.result);
const module: Module = new Sequential({ fc: new Linear(1, 2) });
defineNetwork("one", () => module);
defineStrategy("chance", { about: "", create: async (context) => new RandomAcquisition(context) });
const images: ImageSet = drawDigits(10, 1);
export type Run = (teacher: Teacher, student: Network, observer: DistillObserver) => Promise<DistillReport>;
export const all: [typeof tensor, typeof distill, typeof output, Target, Launch?] = [tensor, distill, output, {}];
console.log(values, images);
// @ts-expect-error A tensor of another type: the declarations are no "any".
matmul(0 as never as Parameters<typeof matmul>[0], createTensor(device, [1], { dtype: "u8" }), a);
`;

/** Type-checks the consumer with nothing but TypeScript and the package, as strictly as can be. */
export async function checkTypes(project) {
  const compilerOptions = { strict: true, skipLibCheck: false, noEmit: true, types: [], target: "es2023" };
  const modules = [
    { module: "nodenext", moduleResolution: "nodenext" },
    { module: "esnext", moduleResolution: "bundler" },
  ];
  writeFileSync(join(project, "consumer.ts"), CONSUMER);
  const checks = modules.map((own) => {
    const file = join(project, `tsconfig.${own.moduleResolution}.json`);
    writeFileSync(file, JSON.stringify({ compilerOptions: { ...compilerOptions, ...own }, files: ["consumer.ts"] }));
    return runBeside([process.execPath, join(root, "node_modules/typescript/bin/tsc"), "-p", file]);
  });
  await Promise.all(checks);
  return modules.map(({ moduleResolution }) => moduleResolution).join(", ");
}
