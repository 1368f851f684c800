import { InputError } from "../../errors.js";
import {
  advance,
  blendFeatures,
  blendImages,
  rangeIndices,
  scatterBatch,
  WHOLE_WEIGHT,
  type Blend,
} from "../../kernels/index.js";
import { Sequential, type LinearStart, type Network } from "../../nn/index.js";
import {
  createTensor,
  record,
  replay,
  writeTensor,
  type Recorder,
  type Recording,
  type ReplayOptions,
  type Tensor,
} from "../../tensor/index.js";
import { evaluationPass, headsOf, type DropoutDraw, type Heads } from "./candidates.js";

/** How a network looks at blends of the real images. */
export interface BlendPass {
  /** To be called before each pass over the pool, with the weights that the network has by then. */
  refresh(options: ReplayOptions): Promise<void>;
  /** Records what the network says of `blend`, B blends, in evaluation mode but for dropout where that is asked for. */
  record(recorder: Recorder, blend: Blend, dropout?: DropoutDraw): Heads;
  dispose(): void;
}

/** Of blends that are rounded to 8 bits, as a teacher sees them. */
export class PixelBlends implements BlendPass {
  constructor(
    private readonly student: Network,
    private readonly images: Tensor<"u8">,
  ) {}

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  record(recorder: Recorder, blend: Blend, dropout?: DropoutDraw): Heads {
    const { mean, deviation } = this.student.spec;
    const input = blendImages(recorder, this.images, blend, { mean, std: deviation });
    return headsOf(this.student.forwardWithFeatures(evaluationPass(recorder, dropout), input));
  }

  dispose(): void {
    // Holds nothing of its own.
  }
}

/** Images whose features are computed at once. */
const BATCH = 256;

/**
 * Of blends of the features that the linear part of the student's first layer has of each image: all n are computed
 * before a pass, and lie on the device until the next.
 */
export class FeatureBlends implements BlendPass {
  private constructor(
    private readonly start: LinearStart,
    private readonly perPair: number,
    private readonly tensors: FeatureTensors,
    private readonly recording: Recording<unknown>,
  ) {}

  /**
   * @param images u8 [n, C, H, W]
   * @param perPair how many blends in a row are of the same two images
   * @throws InputError where the student does not begin with a linear map; DeviceError where the features do not fit.
   */
  static async create(student: Network, images: Tensor<"u8">, perPair: number): Promise<FeatureBlends> {
    const { device, spec, linearStart, inputShape } = student;
    if (!linearStart) {
      throw new InputError(`blendAt is "features"; ${spec.architecture} begins with no convolution: give "pixels"`);
    }
    const count = images.shape[0];
    const batch = Math.min(BATCH, count);
    const shape = [count, ...linearStart.outputShape(inputShape).slice(1)];
    const tensors: FeatureTensors = {
      features: createTensor(device, shape, { name: "features" }),
      weight: createTensor(device, [batch], {
        dtype: "u32",
        data: new Uint32Array(batch).fill(WHOLE_WEIGHT),
        name: "whole weight",
      }),
      position: createTensor(device, [1], { dtype: "u32", name: "position" }),
    };
    const recording = record(device, (recorder) => {
      const { features, weight, position } = tensors;
      const chosen = rangeIndices(recorder, position, batch, count);
      const whole = { first: chosen, second: chosen, weight };
      const input = blendImages(recorder, images, whole, { mean: spec.mean, std: spec.deviation });
      scatterBatch(recorder, linearStart.map(recorder, input), position, features);
      advance(recorder, position);
    });
    try {
      return new FeatureBlends(linearStart, perPair, tensors, await recording);
    } catch (error) {
      for (const tensor of Object.values<Tensor>({ ...tensors })) tensor.dispose();
      throw error;
    }
  }

  async refresh({ signal }: ReplayOptions): Promise<void> {
    const { features, weight, position } = this.tensors;
    writeTensor(position, [0]);
    await replay(this.recording, Math.ceil(features.shape[0] / weight.size), { signal });
  }

  record(recorder: Recorder, blend: Blend, dropout?: DropoutDraw): Heads {
    const { bias, relu, pool, rest } = this.start;
    const options = { perPair: this.perPair, bias: bias?.value, relu, pool };
    const blended = blendFeatures(recorder, this.tensors.features, blend, options);
    return headsOf(Sequential.of(...rest).forwardWithFeatures(evaluationPass(recorder, dropout), blended));
  }

  dispose(): void {
    this.recording.dispose();
    for (const tensor of Object.values<Tensor>({ ...this.tensors })) tensor.dispose();
  }
}

interface FeatureTensors {
  /** What the first layer's linear part gives for each image, [n, C, H, W]. */
  readonly features: Tensor<"f32">;
  readonly weight: Tensor<"u32">;
  readonly position: Tensor<"u32">;
}
