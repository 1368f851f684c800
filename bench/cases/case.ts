import {
  createTensor,
  Philox,
  record,
  sizeOf,
  type Capabilities,
  type Device,
  type Recorder,
  type Recording,
  type Shape,
  type Tensor,
} from "../../src/tensor/index.js";

/** What a row counts, and how many of it make one of its unit. */
export const units = {
  "GFLOP/s": 1e9,
  "GB/s": 1e9,
  "images/s": 1,
  "blends/s": 1,
  "M scores/s": 1e6,
} as const;

export type Unit = keyof typeof units;

/** What bounds a row at best: arithmetic or memory. */
export type Bound = "multiply-add" | "copy";

/** What one run works through. */
export interface Work {
  readonly unit: Unit;
  /** Floating-point operations, bytes, images, … as the unit says. */
  readonly amount: number;
  readonly bound: Bound;
  /** Floating-point operations where arithmetic bounds it, else the bytes that it has to move at least. */
  readonly cost: number;
}

/** Work counted in floating-point operations, a multiply-add as two. */
export function arithmetic(flops: number): Work {
  return { unit: "GFLOP/s", amount: flops, bound: "multiply-add", cost: flops };
}

/** Work counted in the bytes that it has to move at least. */
export function traffic(bytes: number): Work {
  return { unit: "GB/s", amount: bytes, bound: "copy", cost: bytes };
}

/** A recording, and how to free it with what it works on. */
export interface Recorded {
  readonly recording: Recording<unknown>;
  dispose(): void;
}

/** One row of the benchmark. */
export interface Case {
  /** Unlike any other, of at most {@link LONGEST_NAME} characters. */
  readonly name: string;
  readonly work: Work;
  /** Too slow, or too much of one kind, for the quick run. */
  readonly full?: boolean;
  /** Left out on software drivers, where it would take minutes. */
  readonly hardware?: boolean;
  /** The same work by every variant of the kernel that the device can run, each forced by name. */
  variants?(capabilities: Capabilities): Case[];
  /**
   * Makes what the row works on and records one run of it.
   * @throws DeviceError where the device cannot hold or run it.
   */
  record(device: Device): Promise<Recorded>;
}

/** Characters of the longest name, for a table that fits a terminal. */
export const LONGEST_NAME = 38;

/** Name of a case whose variant is forced; a star marks the one that would run by itself. */
export function forcedName(name: string, variant: string, chosen: string): string {
  return `${name} · ${variant}${variant === chosen ? " *" : ""}`;
}

/** Random numbers of all cases, from one seed. */
export const random = new Philox(1);

/** Random numbers after which a large tensor repeats: drawing them all would take longer than the row itself. */
const PERIOD = 2 ** 20 - 3;

/** A tensor of random numbers in [−½, ½), f32 where no type is given. */
export function filled<D extends "f32" | "f16" = "f32">(device: Device, shape: Shape, dtype?: D): Tensor<D> {
  const data = new Float32Array(sizeOf(shape));
  const drawn = Math.min(data.length, PERIOD);
  for (let index = 0; index < drawn; index++) data[index] = random.float() - 0.5;
  for (let index = drawn; index < data.length; index += drawn) data.copyWithin(index, 0, drawn);
  return createTensor(device, shape, { data, dtype: dtype ?? ("f32" as D) });
}

/** A u32 vector of numbers that `next` draws. */
export function drawn(device: Device, length: number, next: () => number): Tensor<"u32"> {
  return createTensor(device, [length], { dtype: "u32", data: Uint32Array.from({ length }, next) });
}

/** Images of random pixels, u8 [count, C, H, W]. */
export function randomImages(device: Device, shape: Shape): Tensor<"u8"> {
  const data = Uint8Array.from({ length: sizeOf(shape) }, () => random.uint32());
  return createTensor(device, shape, { dtype: "u8", data });
}

/** Records `body`; what is freed in the end is the recording, and then `owned`. Frees `owned` where recording fails. */
export async function recorded(
  device: Device,
  owned: readonly { dispose(): void }[],
  body: (recorder: Recorder) => unknown,
): Promise<Recorded> {
  const free = () => {
    for (const each of owned) each.dispose();
  };
  try {
    const recording = await record(device, body);
    return {
      recording,
      dispose: () => {
        recording.dispose();
        free();
      },
    };
  } catch (error) {
    free();
    throw error;
  }
}

/** A case of one kernel on f32 tensors of random numbers of the given shapes. */
export function kernelCase(
  name: string,
  work: Work,
  shapes: readonly Shape[],
  body: (recorder: Recorder, tensors: Tensor<"f32">[]) => unknown,
  options: Pick<Case, "full" | "hardware"> = {},
): Case {
  return {
    name,
    work,
    ...options,
    record: (device) => {
      const tensors = shapes.map((shape) => filled(device, shape));
      return recorded(device, tensors, (recorder) => body(recorder, tensors));
    },
  };
}
