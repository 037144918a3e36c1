import { layers, sequential } from "@tensorflow/tfjs-layers";
import { describe, expect, it } from "vitest";
import { floats } from "../tensorflow-model.test.support.js";
import {
  expectLayersAlike,
  expectNumbers,
  expectSavedAlike,
  graphOfSaved,
  layerIn,
  saved,
  type SavedModel,
} from "./layers-model.test.support.js";

const words = [
  "elu",
  "gelu",
  "hard_sigmoid",
  "linear",
  "log_softmax",
  "mish",
  "relu",
  "relu6",
  "selu",
  "sigmoid",
  "softmax",
  "softplus",
  "softsign",
  "swish",
  "tanh",
];

const input = floats([3, 5]);

describe("an activation", () => {
  it.each(words)("%s, by itself and of a layer", async (word) => {
    const model = sequential();
    model.add(layers.dense({ inputShape: [5], units: 4, name: "d" }));
    model.add(layers.activation({ activation: "linear" }));
    const file = await saved(model);
    for (const at of [0, 1]) layerIn(file, at)["activation"] = word;
    await expectSavedAlike(file, [input]);
  });

  it("gelu_new, which TensorFlow.js writes and does not read", async () => {
    const first = layers.inputLayer({ inputShape: [5], name: "x" });
    const file = await saved(
      sequential({ layers: [first, layers.activation({ activation: "relu" })] }),
    );
    layerIn(file, 1)["activation"] = "gelu_new";
    const curve = (x: number): number =>
      0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    await expectNumbers(await graphOfSaved(file), { x: input }, input.data.map(curve));
  });

  it("silu is Keras' word for swish", async () => {
    const file = await dense();
    const other = structuredClone(file);
    layerIn(file, 0)["activation"] = "silu";
    layerIn(other, 0)["activation"] = "swish";
    await expectSavedAlike(file, [input], 1e-5, other);
  });

  it("is also read where it is an object, and where there is none", async () => {
    const file = await dense();
    layerIn(file, 0)["activation"] = { class_name: "tanh", config: {} };
    await expectSavedAlike(file, [input]);
    layerIn(file, 0)["activation"] = null;
    await expectSavedAlike(file, [input]);
  });

  it.each(["softplus2", "__proto__", "constructor", "toString"])("%s is refused", async (word) => {
    const file = await dense();
    layerIn(file, 0)["activation"] = word;
    await expect(graphOfSaved(file)).rejects.toMatchObject({
      code: "UNSUPPORTED_OP",
      where: "d",
      message: expect.stringContaining("activation"),
    });
  });
});

describe("a layer that is an activation", () => {
  it.each([
    ["ELU", () => layers.elu()],
    ["LeakyReLU", () => layers.leakyReLU({ alpha: 0.15 })],
    ["LeakyReLU of its own slope", () => layers.leakyReLU()],
    ["PReLU", () => layers.prelu()],
    ["ReLU", () => layers.reLU()],
    ["ReLU up to a most", () => layers.reLU({ maxValue: 1.5 })],
    ["Softmax", () => layers.softmax({ axis: -1 })],
    ["ThresholdedReLU", () => layers.thresholdedReLU({ theta: 0.7 })],
  ])("%s", async (_, layer) => {
    const model = sequential({ layers: [layers.inputLayer({ inputShape: [5] }), layer()] });
    await expectLayersAlike(model, [input]);
  });

  it("PReLU shares slopes over axes", async () => {
    const first = layers.inputLayer({ inputShape: [4, 3, 2] });
    const model = sequential({ layers: [first, layers.prelu({ sharedAxes: [1, 2] })] });
    await expectLayersAlike(model, [floats([2, 4, 3, 2])]);
  });

  it("Softmax over several axes", async () => {
    const first = layers.inputLayer({ inputShape: [4, 3] });
    const model = sequential({ layers: [first, layers.softmax({ axis: [1, 2] })] });
    await expectLayersAlike(model, [floats([2, 4, 3])]);
  });

  it.each([
    [{ negative_slope: 0.2 }, (x: number) => (x >= 0 ? x : 0.2 * x)],
    [{ threshold: 0.5 }, (x: number) => (x >= 0.5 ? x : 0)],
    [
      { negative_slope: 0.2, threshold: 0.5, max_value: 1 },
      (x: number) => (x >= 0.5 ? Math.min(x, 1) : 0.2 * (x - 0.5)),
    ],
  ])("ReLU with %j is what Keras says", async (options, curve) => {
    const first = layers.inputLayer({ inputShape: [5], name: "x" });
    const file = await saved(sequential({ layers: [first, layers.reLU({ name: "y" })] }));
    Object.assign(layerIn(file, 1), options);
    const graph = await graphOfSaved(file);
    await expectNumbers(graph, { x: input }, input.data.map(curve));
  });
});

function dense(): Promise<SavedModel> {
  return saved(sequential({ layers: [layers.dense({ inputShape: [5], units: 4, name: "d" })] }));
}
