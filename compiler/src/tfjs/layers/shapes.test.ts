import { input, layers, model, sequential, type SymbolicTensor } from "@tensorflow/tfjs-layers";
import type { Tensor } from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { floats, ints, type Numbers } from "../tensorflow-model.test.support.js";
import {
  expectLayersAlike,
  expectNumbers,
  expectSavedAlike,
  graphOfSaved,
  layerIn,
  layersIn,
  numbersOf,
  saved,
  tensorOf,
} from "./layers-model.test.support.js";

type Layer = ReturnType<typeof layers.conv3dTranspose>;

const alone = (layer: Layer, shape: readonly number[], given?: Numbers) =>
  expectLayersAlike(
    sequential({
      layers: [layers.inputLayer({ inputShape: [...shape] }), layer],
    }),
    [given ?? floats([2, ...shape])],
  );

describe("a layer of sizes", () => {
  it.each([
    ["Flatten", () => layers.flatten(), [3, 4, 2]],
    ["Flatten, channels first", () => layers.flatten({ dataFormat: "channelsFirst" }), [3, 4, 2]],
    ["Reshape", () => layers.reshape({ targetShape: [4, 6] }), [3, 8]],
    ["Reshape to what is left", () => layers.reshape({ targetShape: [2, -1, 3] }), [3, 8]],
    ["Permute", () => layers.permute({ dims: [3, 1, 2] }), [3, 4, 2]],
    ["RepeatVector", () => layers.repeatVector({ n: 3 }), [5]],
    ["Dropout", () => layers.dropout({ rate: 0.5 }), [5]],
    ["SpatialDropout1D", () => layers.spatialDropout1d({ rate: 0.5 }), [4, 5]],
    ["GaussianNoise", () => layers.gaussianNoise({ stddev: 1 }), [5]],
    ["GaussianDropout", () => layers.gaussianDropout({ rate: 0.5 }), [5]],
    ["AlphaDropout", () => layers.alphaDropout({ rate: 0.5 }), [5]],
    ["Dense over more axes", () => layers.dense({ units: 3 }), [4, 2, 5]],
    ["Dense without bias", () => layers.dense({ units: 3, useBias: false }), [5]],
    ["Masking", () => layers.masking({ maskValue: 0 }), [4, 3]],
  ])("%s", async (_, layer, shape) => {
    await alone(layer(), shape);
  });

  it("Masking makes nothing of steps of one value", async () => {
    const given = floats([1, 3, 2], [1, 2, 0.5, 0.5, 0.5, 3]);
    await alone(layers.masking({ maskValue: 0.5 }), [3, 2], given);
  });

  it.each(["SpatialDropout2D", "SpatialDropout3D", "ActivityRegularization"])(
    "%s, which Keras has, does nothing",
    async (kind) => {
      const layer = layers.dropout({ rate: 0.5, name: "drop", inputShape: [4, 4, 2] });
      const file = await saved(sequential({ layers: [layer] }));
      const text = JSON.stringify(file.json).replace('"Dropout"', JSON.stringify(kind));
      const graph = await graphOfSaved({ ...file, json: JSON.parse(text) });
      expect([...graph.order()].map(({ op }) => op)).toEqual(["Identity"]);
    },
  );
});

describe("a layer of images", () => {
  it.each([
    ["up, nearest", () => layers.upSampling2d({ size: [2, 3] }), [3, 4, 2]],
    [
      "up, between places",
      () => layers.upSampling2d({ size: [2, 3], interpolation: "bilinear" }),
      [3, 4, 2],
    ],
    ["up, channels first", () => layers.upSampling2d({ dataFormat: "channelsFirst" }), [2, 3, 4]],
    ["padded", () => layers.zeroPadding2d({ padding: 2 }), [3, 4, 2]],
    ["padded by axis", () => layers.zeroPadding2d({ padding: [1, 2] }), [3, 4, 2]],
    [
      "padded by side, channels first",
      () =>
        layers.zeroPadding2d({ padding: [[1, 2], [0, 3]], dataFormat: "channelsFirst" }), // prettier-ignore
      [2, 3, 4],
    ],
    ["cropped", () => layers.cropping2D({ cropping: [[1, 0], [2, 1]] }), [5, 6, 2]], // prettier-ignore
    [
      "cropped, channels first",
      () => layers.cropping2D({ cropping: [[1, 2], [1, 1]], dataFormat: "channelsFirst" }), // prettier-ignore
      [2, 5, 6],
    ],
    ["rescaled", () => layers.rescaling({ scale: 1 / 127.5, offset: -1 }), [3, 4, 2]],
  ])("%s", async (_, layer, shape) => {
    await alone(layer(), shape);
  });

  // Of these TensorFlow.js gets the sizes of what they give wrong, so that no model of it takes them; layers do.
  const bySize = async (layer: Layer, shape: readonly number[]) => {
    const given = floats(shape);
    const expected = numbersOf(layer.apply(tensorOf(given)) as Tensor);
    const file = await saved(
      sequential({ layers: [layers.inputLayer({ batchInputShape: [...shape], name: "x" })] }),
    );
    layersIn(file).push({ class_name: layer.getClassName(), config: layer.getConfig() });
    await expectNumbers(await graphOfSaved(file), { x: given }, expected.data);
  };

  it.each([
    [4, 5],
    [8, 7],
    [9, 8],
    [1, 3],
    [12, 5],
  ])("center cropped to %i by %i", async (height, width) => {
    await bySize(layers.centerCrop({ height, width, name: "y" }), [2, 9, 8, 2]);
  });

  it("resized", async () => {
    for (const interpolation of ["bilinear", "nearest"] as const)
      for (const cropToAspectRatio of [false, true])
        for (const [height, width] of [
          [5, 9],
          [3, 2],
        ] as const)
          // prettier-ignore
          await bySize(
            layers.resizing({ height, width, interpolation, cropToAspectRatio, name: "y" }),
            [2, 7, 4, 3],
          );
  });
});

describe("a normalization", () => {
  it("of batches, whichever axis and parameters", async () => {
    for (const options of [{}, { scale: false }, { center: false }, { epsilon: 0.1 }]) {
      await alone(layers.batchNormalization(options), [5]);
      await alone(layers.batchNormalization(options), [4, 5]);
      await alone(layers.batchNormalization(options), [3, 4, 5]);
    }
  });

  // Along other axes than the last the CPU of TensorFlow.js takes parameters in a circle.
  it.each([
    [1, [2, 3, 1], [3, 1, 2]],
    [2, [1, 3, 2], [1, 3, 2]],
  ])("of batches along axis %i, as with that one last", async (axis, there, back) => {
    const turned = await saved(
      sequential({
        layers: [
          layers.inputLayer({ inputShape: [3, 4, 5], name: "x" }),
          layers.permute({ dims: there }),
          layers.batchNormalization({ name: "b" }),
          layers.permute({ dims: back }),
        ],
      }),
    );
    const plain = structuredClone(turned);
    layerIn(plain, 2)["axis"] = axis;
    const listed = layersIn(plain);
    listed.splice(0, 4, listed[0], listed[2]);
    await expectSavedAlike(plain, [floats([2, 3, 4, 5])], 1e-5, turned);
  });

  it("of batches, where Keras lists its axis", async () => {
    const layer = layers.batchNormalization({ inputShape: [3, 4, 5] });
    const file = await saved(sequential({ layers: [layer] }));
    layerIn(file, 0)["axis"] = [3];
    const graph = await graphOfSaved(file);
    expect([...graph.order()].map(({ op }) => op)).toContain("BatchNormalization");
  });

  it("of layers, over one axis or several", async () => {
    for (const options of [{}, { scale: false }, { center: false }, { epsilon: 0.1 }])
      await alone(layers.layerNormalization(options), [4, 5]);
    await alone(layers.layerNormalization({ axis: 1 }), [3, 4, 5]);
    await alone(layers.layerNormalization({ axis: [2, 3] }), [3, 4, 5]);
    await alone(layers.layerNormalization({ axis: [1, 3] }), [3, 4, 5]);
  });
});

describe("a merge", () => {
  const [a, b, c] = [floats([2, 3, 4]), floats([2, 3, 4], spread(7)), floats([2, 4], spread(3))];

  function spread(step: number): number[] {
    return Array.from({ length: step === 3 ? 8 : 24 }, (_, at) => ((at * step) % 11) / 3 - 1.5);
  }

  const merged = (merge: { apply(of: SymbolicTensor[]): unknown }, given: readonly Numbers[]) => {
    const taken = given.map(({ dims }) => input({ shape: dims.slice(1) }));
    const made = merge.apply(taken) as SymbolicTensor;
    return expectLayersAlike(model({ inputs: taken, outputs: made }), given);
  };

  it.each([
    ["Add", () => layers.add()],
    ["Multiply", () => layers.multiply()],
    ["Average", () => layers.average()],
    ["Maximum", () => layers.maximum()],
    ["Minimum", () => layers.minimum()],
  ])("%s of two, of three, and of others' axes", async (_, make) => {
    await merged(make(), [a, b]);
    await merged(make(), [a, b, a]);
    await merged(make(), [a, c]);
  });

  it("Concatenate along any axis", async () => {
    await merged(layers.concatenate(), [a, b]);
    await merged(layers.concatenate({ axis: 1 }), [a, b, a]);
  });

  it("Concatenate is refused along an axis that TensorFlow.js does not count", async () => {
    const taken = [input({ shape: [3, 4] }), input({ shape: [3, 4] })];
    const made = layers.concatenate({ axis: -2, name: "c" }).apply(taken) as SymbolicTensor;
    const file = await saved(model({ inputs: taken, outputs: made }));
    await expect(graphOfSaved(file)).rejects.toMatchObject({ code: "UNSUPPORTED_OP", where: "c" });
  });

  it("Dot of vectors and matrices, normalized or not", async () => {
    const [row, rows] = [floats([2, 4]), floats([2, 4, 3])];
    for (const normalize of [false, true]) {
      await merged(layers.dot({ axes: 1, normalize }), [c, row]);
      await merged(layers.dot({ axes: -1, normalize }), [a, b]);
      await merged(layers.dot({ axes: [2, 1], normalize }), [a, rows]);
      await merged(layers.dot({ axes: [1, 2], normalize }), [a, rows]);
      await merged(layers.dot({ axes: [2, 1], normalize }), [a, c]);
      await merged(layers.dot({ axes: [1, 1], normalize }), [c, rows]);
    }
  });

  it("Subtract, which Keras has", async () => {
    const taken = [input({ shape: [3, 4], name: "a" }), input({ shape: [3, 4], name: "b" })];
    const made = layers.add().apply(taken) as SymbolicTensor;
    const file = await saved(model({ inputs: taken, outputs: made }));
    const text = JSON.stringify(file.json).replace('"Add"', '"Subtract"');
    const graph = await graphOfSaved({ ...file, json: JSON.parse(text) });
    const [node] = [...graph.order()];
    expect(node?.op).toBe("Sub");
    expect(node?.inputs.map((id) => (id === null ? "" : graph.value(id).name))).toEqual(["a", "b"]);
  });
});

describe("an embedding", () => {
  const options = { inputDim: 7, outputDim: 4, name: "e" };

  it("takes places as floats and as integers", async () => {
    const places = [0, 6, 3, 2, 2, 5];
    const layer = layers.embedding({ ...options, inputLength: 3 });
    await expectLayersAlike(sequential({ layers: [layer] }), [floats([2, 3], places)]);
    const taken = input({ shape: [3], dtype: "int32" });
    const made = layers.embedding(options).apply(taken) as SymbolicTensor;
    await expectLayersAlike(model({ inputs: taken, outputs: made }), [ints(places, [2, 3])]);
  });

  it("takes sequences of any length where it does not say which", async () => {
    const graph = await expectLayersAlike(sequential({ layers: [layers.embedding(options)] }), [
      floats([2, 5], [0, 6, 3, 2, 2, 5, 1, 1, 4, 0]),
    ]);
    const [id] = graph.main.inputs;
    expect(id === undefined ? undefined : graph.value(id).name).toBe("e_input");
  });
});
