import { describe, expect, it } from "vitest";
import { matmul } from "../../src/kernels/index.js";
import {
  architectures,
  buildModule,
  Flatten,
  Linear,
  namedParameters,
  Network,
  ReLU,
  Sequential,
  type Module,
  type NetworkSpec,
} from "../../src/nn/index.js";
import { Recorder } from "../../src/tensor/index.js";
import { expectClose, f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";
import { randomInput, runKernel } from "../kernels/harness.js";

const devices = useDevices();

function specOf(architecture: string): NetworkSpec {
  const image = architecture.startsWith("lenet")
    ? { channels: 1, height: 28, width: 28 }
    : { channels: 3, height: 32, width: 32 };
  const scale = new Array<number>(image.channels).fill(0.5);
  return { architecture, image, classes: 10, mean: scale, deviation: scale };
}

const passWith = (recorder: Recorder) => ({ recorder, training: false, seed: 0 });

/** Gives the parameters memory, whatever is in it: for recording alone. */
function withMemory(recorder: Recorder, module: Module): Module {
  for (const parameter of namedParameters(module).values()) {
    parameter.place(recorder.temporary(parameter.shape, "parameter"));
  }
  return module;
}

describe("forwardWithFeatures", () => {
  it("gives in every architecture the input of the last linear layer, [B, F]", () => {
    const widths = architectures.map((architecture) => {
      const { image, classes } = specOf(architecture);
      const recorder = new Recorder(devices.cpu);
      const module = withMemory(recorder, buildModule(architecture, image, classes));
      const images = recorder.temporary([3, image.channels, image.height, image.width], "images");
      const { output, features } = module.forwardWithFeatures!(passWith(recorder), images);
      return `${architecture}: ${features.shape.join(" ")} to ${output.shape.join(" ")}`;
    });
    expect(widths).toMatchInlineSnapshot(`
      [
        "lenet5: 3 84 to 3 10",
        "lenet5-half: 3 84 to 3 10",
        "lenet5-dropout: 3 84 to 3 10",
        "alexnet: 3 256 to 3 10",
        "alexnet-half: 3 128 to 3 10",
        "vgg16: 3 512 to 3 10",
        "resnet20: 3 64 to 3 10",
        "resnet32: 3 64 to 3 10",
        "resnet18: 3 512 to 3 10",
      ]
    `);
  });

  it.each(["lenet5-half", "resnet20"])(
    "gives %s's own logits, which follow from the features",
    async (architecture) => {
      const network = new Network(devices.gpu, specOf(architecture), 3);
      const [weight, bias] = ["weight", "bias"].map((name) => {
        const [, parameter] = [...network.parameters].filter(([full]) => full.endsWith(`.${name}`)).at(-1)!;
        return parameter.value;
      });
      const inputs = { images: randomInput([2, ...network.inputShape.slice(1)], 1) };
      const { whole, output, again } = await runKernel(devices.gpu, inputs, (recorder, { images }) => {
        const { output, features } = network.forwardWithFeatures(passWith(recorder), images);
        const again = matmul(recorder, features, weight, bias, { transposeB: true });
        return { whole: network.forward(passWith(recorder), images).output, output, again };
      });
      expect(output).toEqual(whole);
      expectClose(again, whole, f32Tolerance(64), architecture);
      network.dispose();
    },
  );

  it("finds the last layer of what is nested, and says where it is none", () => {
    const recorder = new Recorder(devices.cpu);
    const images = recorder.temporary([2, 1, 2, 3], "images");
    const ending = (...modules: Module[]) => {
      const module = withMemory(recorder, Sequential.of(new Flatten(), ...modules));
      return () => module.forwardWithFeatures!(passWith(recorder), images);
    };
    expect(ending(new ReLU(), Sequential.of(new Linear(6, 4)))().features.shape).toEqual([2, 6]);
    expect(ending(Sequential.of(new ReLU()))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: features: the last of 1 modules is a ReLU; expected a linear layer at the end, whose input the features are]`,
    );
    expect(ending()).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: features: the last of 1 modules is a Flatten; expected a linear layer at the end, whose input the features are]`,
    );
    expect(ending(Sequential.of())).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: features: there are no modules; expected a linear layer at the end, whose input the features are]`,
    );
    expect(ending(new Linear(6, 4), new ReLU())).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: features: the last of 3 modules is a ReLU; expected a linear layer at the end, whose input the features are]`,
    );
  });
});
