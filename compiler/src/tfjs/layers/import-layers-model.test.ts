import { layers, sequential } from "@tensorflow/tfjs-layers";
import { describe, it } from "vitest";
import { floats } from "../tensorflow-model.test.support.js";
import { expectLayersAlike } from "./layers-model.test.support.js";

describe("a sequence of layers", () => {
  it("is read with convolutions and dense layers", async () => {
    const model = sequential({
      layers: [
        layers.conv2d({
          inputShape: [8, 8, 3],
          filters: 4,
          kernelSize: 3,
          padding: "same",
          strides: 2,
          activation: "relu",
        }),
        layers.flatten(),
        layers.dense({ units: 5, activation: "softmax" }),
      ],
    });
    await expectLayersAlike(model, [floats([2, 8, 8, 3])]);
  });
});
