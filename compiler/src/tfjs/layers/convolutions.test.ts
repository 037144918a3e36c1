import { layers, sequential } from "@tensorflow/tfjs-layers";
import { describe, expect, it } from "vitest";
import { floats } from "../tensorflow-model.test.support.js";
import {
  expectLayersAlike,
  expectSavedAlike,
  graphOfSaved,
  layerIn,
  layersIn,
  saved,
} from "./layers-model.test.support.js";

const paddings = ["same", "valid"] as const;
const formats = ["channelsLast", "channelsFirst"] as const;
const image = { channelsLast: [9, 8, 3], channelsFirst: [3, 9, 8] } as const;

const alike = (layer: Parameters<typeof sequential>[0] & object, shape: readonly number[]) =>
  expectLayersAlike(sequential(layer), [floats([2, ...shape])]);

describe("a convolution", () => {
  for (const padding of paddings) {
    for (const dataFormat of formats) {
      const inputShape = [...image[dataFormat]];
      for (const strides of [1, 2, [2, 3] as [number, number]])
        it(`of images, ${padding}, ${dataFormat}, by ${strides}`, () => {
          const options = { inputShape, filters: 4, kernelSize: [3, 2], padding, dataFormat };
          const layer = layers.conv2d({ ...options, strides, activation: "relu" });
          return alike({ layers: [layer] }, inputShape);
        });
      it(`of images, dilated, ${padding}, ${dataFormat}`, () => {
        const options = { inputShape, filters: 4, kernelSize: 3, padding, dataFormat };
        const layer = layers.conv2d({ ...options, dilationRate: 2, useBias: false });
        return alike({ layers: [layer] }, inputShape);
      });
      it(`transposed, ${padding}, ${dataFormat}`, async () => {
        for (const kernelSize of [2, 3, 4, [1, 5] as [number, number]])
          for (const strides of [1, 2, 3]) {
            const options = { inputShape, filters: 4, kernelSize, padding, dataFormat, strides };
            await alike({ layers: [layers.conv2dTranspose(options)] }, inputShape);
          }
      });
    }
    for (const strides of [1, 2] as const) {
      it(`of each channel, ${padding}, by ${strides}`, async () => {
        for (const depthMultiplier of [1, 2]) {
          const options = { inputShape: [9, 8, 3], kernelSize: 3, padding, strides };
          const layer = layers.depthwiseConv2d({ ...options, depthMultiplier, activation: "elu" });
          await alike({ layers: [layer] }, [9, 8, 3]);
        }
      });
      it(`separable, ${padding}, by ${strides}`, async () => {
        for (const depthMultiplier of [1, 2]) {
          const options = { inputShape: [9, 8, 3], filters: 5, kernelSize: 3, padding, strides };
          const layer = layers.separableConv2d({ ...options, depthMultiplier, activation: "tanh" });
          await alike({ layers: [layer] }, [9, 8, 3]);
        }
      });
      it(`of sequences, ${padding}, by ${strides}`, () => {
        const options = { inputShape: [9, 3], filters: 4, kernelSize: 3, padding, strides };
        return alike({ layers: [layers.conv1d({ ...options, activation: "softmax" })] }, [9, 3]);
      });
      it(`of volumes, ${padding}, by ${strides}`, () => {
        const options = { inputShape: [5, 6, 4, 2], filters: 3, kernelSize: 3, padding, strides };
        return alike(
          { layers: [layers.conv3d({ ...options, activation: "sigmoid" })] },
          [5, 6, 4, 2],
        );
      });
    }
  }

  it("of sequences, dilated", () => {
    const options = { inputShape: [9, 3], filters: 4, kernelSize: 3, dilationRate: 2 };
    return alike({ layers: [layers.conv1d(options)] }, [9, 3]);
  });

  it("of each channel, channels first", () => {
    const options = { inputShape: [3, 9, 8], kernelSize: 3, useBias: false };
    const layer = layers.depthwiseConv2d({ ...options, dataFormat: "channelsFirst" });
    return alike({ layers: [layer] }, [3, 9, 8]);
  });

  it("of volumes, channels first", () => {
    const options = { inputShape: [2, 5, 6, 4], filters: 3, kernelSize: 2 };
    const layer = layers.conv3d({ ...options, dataFormat: "channelsFirst" });
    return alike({ layers: [layer] }, [2, 5, 6, 4]);
  });

  it("of images of any size, same", async () => {
    const options = { inputShape: [null, null, 3], filters: 4, kernelSize: 3 };
    const layer = layers.conv2d({ ...options, padding: "same", strides: 2, name: "c" });
    const graph = await expectLayersAlike(sequential({ layers: [layer] }), [floats([2, 9, 8, 3])]);
    const [id] = graph.main.inputs;
    expect(id === undefined ? undefined : graph.value(id)).toMatchObject({
      name: "c_input",
      type: { shape: [{ key: "batch" }, { key: "height" }, { key: "width" }, 3] },
    });
  });

  it("that is causal sees what is before, and nothing behind", async () => {
    const options = { filters: 4, kernelSize: 3, dilationRate: 2, name: "c" };
    const padded = await saved(
      sequential({
        layers: [
          layers.inputLayer({ inputShape: [9, 3], name: "x" }),
          layers.reshape({ targetShape: [9, 1, 3] }),
          layers.zeroPadding2d({ padding: [[4, 0], [0, 0]] }), // prettier-ignore
          layers.reshape({ targetShape: [13, 3] }),
          layers.conv1d(options),
        ],
      }),
    );
    const causal = structuredClone(padded);
    layerIn(causal, 4)["padding"] = "causal";
    layersIn(causal).splice(1, 3);
    await expectSavedAlike(causal, [floats([2, 9, 3])], 1e-5, padded);
  });

  it("in groups has filters of its own for each", async () => {
    const options = { inputShape: [9, 8, 4], filters: 6, kernelSize: 3, name: "c" };
    const file = await saved(sequential({ layers: [layers.conv2d(options)] }));
    layerIn(file, 0)["groups"] = 2;
    const [kernel] = file.json.weightsManifest[0]?.weights ?? [];
    // Half of the inputs are left to each filter.
    if (kernel !== undefined) kernel.shape = [3, 3, 2, 6];
    const bias = file.json.weightsManifest[0]?.weights[1];
    expect(bias?.name).toBe("c/bias");
    const graph = await graphOfSaved(file);
    const [conv] = [...graph.order()].filter(({ op }) => op === "Conv");
    expect(conv?.attributes.get("group")).toEqual({ type: "int", value: 2n });
  });

  it("of each channel is refused where it is dilated: TensorFlow.js and Keras differ", async () => {
    const options = { inputShape: [9, 8, 3], kernelSize: 3, dilationRate: 2, name: "c" };
    const file = await saved(sequential({ layers: [layers.depthwiseConv2d(options)] }));
    await expect(graphOfSaved(file)).rejects.toMatchObject({ code: "UNSUPPORTED_OP", where: "c" });
    layerIn(file, 0)["dilation_rate"] = [1, 1];
    await expectSavedAlike(file, [floats([2, 9, 8, 3])]);
  });
});

describe("pooling", () => {
  for (const padding of paddings) {
    for (const strides of [undefined, 1, 2]) {
      const options = { padding, ...(strides !== undefined && { strides }) };
      it(`of sequences, ${padding}, by ${strides ?? "its size"}`, async () => {
        for (const make of [layers.maxPooling1d, layers.averagePooling1d])
          await alike({ layers: [make({ ...options, poolSize: 3, inputShape: [8, 3] })] }, [8, 3]);
      });
      it(`of images, ${padding}, by ${strides ?? "its size"}`, async () => {
        for (const make of [layers.maxPooling2d, layers.averagePooling2d])
          for (const dataFormat of formats) {
            const inputShape = [...image[dataFormat]];
            const layer = make({ ...options, dataFormat, poolSize: [3, 2], inputShape });
            await alike({ layers: [layer] }, inputShape);
          }
      });
      it(`of volumes, ${padding}, by ${strides ?? "its size"}`, async () => {
        for (const make of [layers.maxPooling3d, layers.averagePooling3d]) {
          const inputShape = [5, 6, 4, 2];
          await alike({ layers: [make({ ...options, poolSize: 2, inputShape })] }, inputShape);
        }
      });
    }
  }

  it("goes by its size where a file says nothing else", async () => {
    for (const make of [layers.maxPooling2d, layers.averagePooling2d]) {
      const layer = make({ poolSize: [3, 2], inputShape: [9, 8, 3] });
      const file = await saved(sequential({ layers: [layer] }));
      layerIn(file, 0)["strides"] = null;
      await expectSavedAlike(file, [floats([2, 9, 8, 3])]);
    }
  });

  it("over everything", async () => {
    for (const make of [layers.globalMaxPooling2d, layers.globalAveragePooling2d])
      for (const dataFormat of formats) {
        const inputShape = [...image[dataFormat]];
        await alike({ layers: [make({ dataFormat, inputShape })] }, inputShape);
      }
    for (const make of [layers.globalMaxPooling1d, layers.globalAveragePooling1d])
      await alike({ layers: [make({ inputShape: [7, 3] })] }, [7, 3]);
  });
});
