import { input, layers, model, sequential, type SymbolicTensor } from "@tensorflow/tfjs-layers";
import { describe, expect, it } from "vitest";
import { floats, type Numbers } from "../tensorflow-model.test.support.js";
import {
  expectLayersAlike,
  expectNumbers,
  expectSavedAlike,
  graphOfSaved,
  layerIn,
  saved,
} from "./layers-model.test.support.js";

type Layer = ReturnType<typeof layers.conv3dTranspose>;
type Recurrent = Parameters<typeof layers.bidirectional>[0]["layer"];
type Options = Parameters<typeof layers.lstm>[0];

const steps = floats([3, 6, 4]);
// TensorFlow.js makes no others without what it adds to its tensors.
const plain = { recurrentInitializer: "zeros" } as const;
const cells: readonly (readonly [string, (options: Options) => Recurrent])[] = [
  ["SimpleRNN", (options) => layers.simpleRNN({ ...plain, ...options })],
  ["GRU", (options) => layers.gru({ ...plain, ...options })],
  ["LSTM", (options) => layers.lstm({ ...plain, ...options })],
];

/** A model of one layer, with all that it gives. */
function alone(layer: Layer, given: readonly Numbers[] = [steps]) {
  const taken = given.map(({ dims }) => input({ shape: dims.slice(1) }));
  const made = layer.apply(taken.length === 1 ? (taken[0] ?? []) : taken);
  return expectLayersAlike(model({ inputs: taken, outputs: made as SymbolicTensor }), given);
}

describe.each(cells)("%s", (kind, make) => {
  for (const returnSequences of [false, true])
    for (const goBackwards of [false, true])
      it(`gives ${returnSequences ? "steps" : "the last"}${goBackwards ? ", backwards" : ""}`, async () => {
        for (const useBias of [true, false])
          await alone(make({ units: 3, returnSequences, goBackwards, useBias }));
      });

  it("gives its states", async () => {
    for (const returnSequences of [false, true])
      await alone(make({ units: 3, returnSequences, returnState: true }));
  });

  it("begins with the states that it is given", async () => {
    const states = [
      floats([3, 3]),
      floats(
        [3, 3],
        Array.from({ length: 9 }, (_, at) => at / 9),
      ),
    ];
    const given = [steps, ...states.slice(0, kind === "LSTM" ? 2 : 1)];
    for (const goBackwards of [false, true])
      await alone(make({ units: 3, returnSequences: true, goBackwards }), given);
  });

  it.each(["relu", "sigmoid", "hardSigmoid", "linear", "softsign", "softplus", "elu"] as const)(
    "with %s",
    async (activation) => {
      const options = { units: 3, activation, recurrentActivation: "sigmoid" } as const;
      await alone(make({ ...options, returnSequences: true }));
      if (kind !== "SimpleRNN") await alone(make({ units: 3, recurrentActivation: activation }));
    },
  );

  it("takes sequences of any length", async () => {
    const layer = make({ units: 3, inputShape: [null, 4], returnSequences: true });
    await expectLayersAlike(sequential({ layers: [layer] }), [steps]);
  });

  it("leaves out steps that are masked, wherever they are", async () => {
    const data = steps.data.map((value, at) => (isMasked(Math.floor(at / 4)) ? 0 : value));
    for (const returnSequences of [false, true])
      for (const goBackwards of [false, true])
        await expectLayersAlike(
          sequential({
            layers: [
              layers.masking({ maskValue: 0, inputShape: [6, 4] }),
              layers.dense({ units: 4 }),
              make({ units: 3, returnSequences, goBackwards }),
            ],
          }),
          [floats([3, 6, 4], data)],
        );
  });

  it("leaves out words of number 0, in either direction and in layers upon each other", async () => {
    const words = floats([3, 5], [0, 0, 4, 2, 1, 3, 0, 1, 0, 0, 1, 2, 3, 4, 5]);
    const built = sequential({
      layers: [
        layers.embedding({ inputDim: 6, outputDim: 4, maskZero: true, inputLength: 5 }),
        layers.bidirectional({ layer: make({ units: 3, returnSequences: true }) }),
        make({ units: 2 }),
      ],
    });
    await expectLayersAlike(built, [words]);
  });

  it("is refused behind a layer that drops masks", async () => {
    const built = sequential({
      layers: [
        layers.embedding({ inputDim: 6, outputDim: 4, maskZero: true, inputLength: 5 }),
        layers.permute({ dims: [2, 1] }),
        make({ units: 2, name: "r" }),
      ],
    });
    await expect(graphOfSaved(await saved(built))).rejects.toMatchObject({
      code: "UNSUPPORTED_OP",
      where: "r",
    });
  });

  it("is refused where it keeps its state, or an activation is not known", async () => {
    const built = sequential({ layers: [make({ units: 2, name: "r", inputShape: [5, 4] })] });
    for (const [key, value] of [
      ["stateful", true],
      ["activation", "mish"],
      ["activation", "__proto__"],
    ] as const) {
      const file = await saved(built);
      layerIn(file, 0)[key] = value;
      await expect(graphOfSaved(file)).rejects.toMatchObject({
        code: "UNSUPPORTED_OP",
        where: "r",
      });
    }
  });
});

/** Of three samples: some in the middle, the first ones, all. */
const isMasked = (step: number): boolean => [1, 2, 6, 7, 8].includes(step) || step >= 12;

describe("Bidirectional", () => {
  for (const mergeMode of ["concat", "sum", "mul", "ave"] as const)
    it(`merged by ${mergeMode}`, async () => {
      for (const [, make] of cells)
        for (const returnSequences of [false, true]) {
          const layer = make({ units: 3, returnSequences });
          await alone(layers.bidirectional({ layer, mergeMode }));
        }
    });

  it("of a layer that goes backwards", async () => {
    const layer = layers.gru({ ...plain, units: 3, returnSequences: true, goBackwards: true });
    await alone(layers.bidirectional({ layer, mergeMode: "concat" }));
  });

  it("that is not merged gives both", async () => {
    const layer = layers.lstm({ ...plain, units: 3, returnSequences: true });
    const taken = input({ shape: [6, 4] });
    const wrapper = layers.bidirectional({ layer, mergeMode: "concat", name: "b" });
    const file = await saved(
      model({ inputs: taken, outputs: wrapper.apply(taken) as SymbolicTensor }),
    );
    const text = JSON.stringify(file.json)
      .replace('"merge_mode":"concat"', '"merge_mode":null')
      .replace('"output_layers":[["b",0,0]]', '"output_layers":[["b",0,0],["b",0,1]]');
    const graph = await expectSavedAlike({ ...file, json: JSON.parse(text) }, [steps]);
    expect(graph.main.outputs).toHaveLength(2);
  });

  it("begins with the states that it is given", async () => {
    const layer = layers.lstm({ ...plain, units: 3, returnSequences: true });
    const states = [0, 1, 2, 3].map((at) =>
      floats(
        [3, 3],
        Array.from({ length: 9 }, (_, index) => (index - at) / 9),
      ),
    );
    await alone(layers.bidirectional({ layer, mergeMode: "concat" }), [steps, ...states]);
  });

  it("with the states of both", async () => {
    const layer = layers.lstm({ ...plain, units: 3, returnState: true, returnSequences: true });
    await alone(layers.bidirectional({ layer, mergeMode: "concat" }));
  });
});

describe("TimeDistributed", () => {
  it.each([
    ["Dense", () => layers.dense({ units: 3, activation: "softmax" }), [3, 6, 4]],
    ["Conv2D", () => layers.conv2d({ filters: 3, kernelSize: 2 }), [2, 3, 5, 4, 2]],
    ["Flatten", () => layers.flatten(), [2, 3, 5, 4]],
    ["LSTM", () => layers.lstm({ ...plain, units: 3 }), [2, 3, 5, 4]],
  ] as const)("%s", async (_, make, dims) => {
    const layer: Layer = make();
    await alone(layers.timeDistributed({ layer }), [floats(dims)]);
  });

  it("a model, of any number of steps", async () => {
    const inner = sequential({
      layers: [layers.dense({ units: 3, inputShape: [4, 2] }), layers.flatten()],
    });
    const layer = layers.timeDistributed({ layer: inner, inputShape: [null, 4, 2] });
    await expectLayersAlike(sequential({ layers: [layer] }), [floats([2, 3, 4, 2])]);
  });
});

describe("a GRU of Keras that resets after its product", () => {
  it("is what its equations say", async () => {
    const options = { ...plain, units: 2, inputShape: [4, 3], name: "g" };
    const file = await saved(
      sequential({ layers: [layers.gru({ ...options, recurrentActivation: "sigmoid" })] }),
    );
    layerIn(file, 0)["reset_after"] = true;
    const [group] = file.json.weightsManifest;
    const bias = group?.weights.find(({ name }) => name === "g/bias");
    if (bias === undefined) throw new Error("no bias");
    // One bias for each product, the second after the first.
    bias.shape = [2, 6];
    const more = Float32Array.from({ length: 6 }, (_, at) => 0.3 - at / 10);
    const weights = Uint8Array.from([...file.weights, ...new Uint8Array(more.buffer)]);
    const graph = await graphOfSaved({ ...file, weights });
    const taken = floats([1, 4, 3]);
    await expectNumbers(
      graph,
      { g_input: taken },
      gru(taken.data, new Float32Array(weights.buffer)),
    );
  });
});

/** Two units over steps of three features, by weights in the order of kernel, recurrent kernel, biases. */
function gru(data: readonly number[], weights: Float32Array): readonly number[] {
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  const [kernel, recurrent] = [weights.subarray(0, 18), weights.subarray(18, 30)];
  const [biases, others] = [weights.subarray(30, 36), weights.subarray(36, 42)];
  const product = (row: readonly number[], matrix: Float32Array, bias: Float32Array) =>
    Array.from({ length: 6 }, (_, to) =>
      row.reduce((sum, value, from) => sum + value * (matrix[6 * from + to] ?? 0), bias[to] ?? 0),
    );
  let state: readonly number[] = [0, 0];
  for (let at = 0; at < data.length; at += 3) {
    const x = product(data.slice(at, at + 3), kernel, biases);
    const h = product(state, recurrent, others);
    const of = (list: readonly number[], index: number): number => list[index] ?? 0;
    state = state.map((before, unit) => {
      const update = sigmoid(of(x, unit) + of(h, unit));
      const reset = sigmoid(of(x, 2 + unit) + of(h, 2 + unit));
      const next = Math.tanh(of(x, 4 + unit) + reset * of(h, 4 + unit));
      return update * before + (1 - update) * next;
    });
  }
  return state;
}

describe("weights of Keras with a cell's name", () => {
  it("are found without it", async () => {
    const layer = layers.lstm({ ...plain, units: 3, name: "l" });
    const built = sequential({
      layers: [layers.bidirectional({ layer, mergeMode: "concat", name: "b", inputShape: [5, 4] })],
    });
    const file = await saved(built);
    const named = structuredClone(file);
    for (const weight of named.json.weightsManifest[0]?.weights ?? [])
      weight.name = weight.name.replace(/_l\//, "_l/lstm_cell_7/");
    await expectSavedAlike(named, [floats([2, 5, 4])]);
  });
});
