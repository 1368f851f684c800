import { hostArray } from "../../tensor/cpu/device.js";
import type { Launch } from "../../tensor/launch.js";
import type { Recorder } from "../../tensor/recording.js";
import { expectShape } from "../../tensor/shape.js";
import type { Tensor } from "../../tensor/tensor.js";
import { linearGrid } from "../grid.js";
import sumPartsSource from "./sum-parts.wgsl?raw";

/** What is done to a sum before it is stored. */
export interface Epilogue {
  /** Added to the elements of each channel: one value a channel. */
  readonly bias?: Tensor<"f32"> | undefined;
  /** The axis of the result that counts the channels. */
  readonly channelAxis: number;
  /** Apply max(0, ·). */
  readonly relu: boolean;
}

const WORKGROUP = 64;

/**
 * out = Σ_p parts[p] (+ bias), then ReLU where asked: `parts` is [P, …shape of out], all f32. `out` is wholly
 * overwritten.
 * @throws ShapeError where the shapes do not fit.
 */
export function sumParts(
  recorder: Recorder,
  parts: Tensor<"f32">,
  out: Tensor<"f32">,
  { bias, channelAxis, relu }: Epilogue,
): void {
  const [count] = parts.shape;
  const channels = out.shape[channelAxis];
  const inner = out.shape.slice(channelAxis + 1).reduce((product, length) => product * length, 1);
  expectShape("sumParts", "parts", parts.shape, [count, ...out.shape]);
  if (bias) expectShape("sumParts", "bias", bias.shape, [channels]);
  recorder.add({
    kernel: "sumParts",
    reads: [parts, bias ?? parts],
    writes: [out],
    reference: () => {
      sumPartsReference(hostArray(parts), bias && hostArray(bias), hostArray(out), inner, relu);
    },
    plan: () => ({
      program: { name: "gemm/sum-parts", source: [sumPartsSource], constants: { WORKGROUP } },
      params: [out.size, count, inner, channels, Number(bias !== undefined), Number(relu)],
      grid: linearGrid(out.size, WORKGROUP),
    }),
  });
}

/** Defines {@link sumParts}, summed in f64: channels change every `inner` elements, and start anew after the last. */
export function sumPartsReference(
  parts: Float32Array,
  bias: Float32Array | undefined,
  out: Float32Array,
  inner: number,
  relu: boolean,
): void {
  for (let index = 0; index < out.length; index++) {
    let sum = bias ? bias[Math.floor(index / inner) % bias.length] : 0;
    for (let from = index; from < parts.length; from += out.length) sum += parts[from];
    out[index] = relu && sum <= 0 ? 0 : sum;
  }
}

/**
 * Adds a launch that makes sums, and where it makes them in several parts, the launch that adds those up. Only programs
 * work in parts: the CPU reference makes whole sums.
 * @param launch reads what it needs; `plan` and `reference` apply the epilogue themselves where there is one part.
 */
export function addInParts(
  recorder: Recorder,
  launch: Omit<Launch, "writes">,
  out: Tensor<"f32">,
  parts: number,
  epilogue: Epilogue,
): void {
  if (parts === 1 || recorder.device.info.kind === "cpu") {
    recorder.add({ ...launch, writes: [out] });
    return;
  }
  const partial = recorder.temporary([parts, ...out.shape], `${launch.kernel} parts`);
  recorder.add({ ...launch, writes: [partial] });
  sumParts(recorder, partial, out, epilogue);
}
