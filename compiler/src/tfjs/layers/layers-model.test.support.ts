import * as tensorflow from "@tensorflow/tfjs-core";
import { type LayersModel, loadLayersModel } from "@tensorflow/tfjs-layers";
import type { Tensors } from "@pare/runtime/format";
import { expect } from "vitest";
import { importModel } from "../../import-model.js";
import type { Graph } from "../../ir/index.js";
import { simplifyGraph } from "../../passes/simplify.js";
import { onEngine } from "../../rules/rule-case.test.support.js";
import { fed, floats, type Numbers, sourceOf } from "../tensorflow-model.test.support.js";

/** `model.json` of a layers model as an object that tests may change, and its weights. */
export interface SavedModel {
  readonly json: {
    format: string;
    modelTopology: Record<string, unknown>;
    weightsManifest: { paths: string[]; weights: tensorflow.io.WeightsManifestEntry[] }[];
  };
  readonly weights: Uint8Array;
}

/** As `model.save()` writes it, with weights that are not those of a start. */
export async function saved(model: LayersModel): Promise<SavedModel> {
  spreadWeights(model);
  const taken: tensorflow.io.ModelArtifacts[] = [];
  await model.save({
    save: (artifacts) => {
      taken.push(artifacts);
      return Promise.resolve({
        modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" },
      });
    },
  });
  const [artifacts] = taken;
  if (!(artifacts?.weightData instanceof ArrayBuffer)) throw new Error("no weights were saved");
  return {
    json: {
      format: "layers-model",
      // What is undefined is not in a file.
      modelTopology: JSON.parse(JSON.stringify(artifacts.modelTopology)),
      weightsManifest: [{ paths: ["weights.bin"], weights: artifacts.weightSpecs ?? [] }],
    },
    weights: new Uint8Array(artifacts.weightData),
  };
}

/** Variances stay above zero; the rest is around it. */
function spreadWeights(model: LayersModel): void {
  for (const [at, weight] of model.weights.entries()) {
    const dims = weight.shape.map(Number);
    const { data } = floats(dims);
    const isVariance = weight.originalName.endsWith("moving_variance");
    const numbers = data.map((value) =>
      isVariance ? 0.5 + Math.abs(value) : value * 0.4 + 0.01 * (at % 7),
    );
    weight.write(tensorflow.tensor(numbers, dims));
  }
}

export function graphOfSaved({ json, weights }: SavedModel): Promise<Graph> {
  return importModel(sourceOf(json, { "weights.bin": weights }));
}

/** That a layers model gives on onnxruntime what TensorFlow.js gives, as it is read and simplified; the types as well. */
export async function expectLayersAlike(
  model: LayersModel,
  inputs: readonly Numbers[],
  tolerance = 1e-5,
): Promise<Graph> {
  return expectReadAlike(await saved(model), model, inputs, tolerance);
}

/** As `expectLayersAlike`, of a file that TensorFlow.js loads; it may be given another one. */
export async function expectSavedAlike(
  file: SavedModel,
  inputs: readonly Numbers[],
  tolerance = 1e-5,
  reference = file,
): Promise<Graph> {
  const { json, weights } = reference;
  const model = await loadLayersModel({
    load: () =>
      Promise.resolve({
        modelTopology: structuredClone(json.modelTopology),
        weightSpecs: json.weightsManifest[0]?.weights ?? [],
        weightData: new Uint8Array(weights).buffer,
      }),
  });
  return expectReadAlike(file, model, inputs, tolerance);
}

async function expectReadAlike(
  file: SavedModel,
  model: LayersModel,
  inputs: readonly Numbers[],
  tolerance: number,
): Promise<Graph> {
  const expected = [model.predict(inputs.map(tensorOf))].flat().map(numbersOf);
  const { inputNames } = model;
  const feeds = fed(Object.fromEntries(inputs.map((one, at) => [inputNames[at] ?? "", one])));
  const read = await graphOfSaved(file);
  compare(expected, await onEngine(read, feeds), tolerance);
  const simplified = await graphOfSaved(file);
  await simplifyGraph(simplified, {});
  compare(expected, await onEngine(simplified, feeds), tolerance);
  return read;
}

export function tensorOf({ dtype, dims, data }: Numbers): tensorflow.Tensor {
  return tensorflow.tensor([...data], [...dims], dtype);
}

export function numbersOf(tensor: tensorflow.Tensor): Numbers {
  return {
    dtype: tensor.dtype === "int32" ? "int32" : "float32",
    dims: tensor.shape,
    data: [...tensor.dataSync()],
  };
}

function compare(expected: readonly Numbers[], made: Tensors, tolerance: number): void {
  const outputs = Object.values(made);
  expect(outputs.map(({ type, dims }) => ({ type, dims }))).toEqual(
    expected.map(({ dtype, dims }) => ({ type: dtype, dims })),
  );
  for (const [at, { data }] of expected.entries()) {
    const got = Array.from(outputs[at]?.data ?? [], Number);
    const scale = Math.max(1, ...data.map(Math.abs));
    const wrong = data.findIndex((value, index) => {
      const error = Math.abs(value - (got[index] ?? Number.NaN));
      return !(error <= tolerance * scale);
    });
    expect({ at, wrong, value: got[wrong] }).toEqual({ at, wrong: -1, value: undefined });
    // Numbers that are all alike would agree with anything that forgot its input.
    expect(data.length === 1 || new Set(data).size > 1).toBe(true);
  }
}

/** The layers of a model as they are written, for tests to change. */
export function layersIn({ json }: SavedModel): unknown[] {
  const listed = recordOf(recordOf(json.modelTopology)["config"])["layers"];
  if (!Array.isArray(listed)) throw new Error("no layers");
  return listed;
}

/** The configuration of one of them. */
export function layerIn(file: SavedModel, at: number): Record<string, unknown> {
  return recordOf(recordOf(layersIn(file)[at])["config"]);
}

function recordOf(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw new Error("no object");
  return value as Record<string, unknown>;
}

/** That a graph gives on onnxruntime what was worked out by hand. */
export async function expectNumbers(
  graph: Graph,
  inputs: Readonly<Record<string, Numbers>>,
  data: readonly number[],
): Promise<void> {
  const [made] = Object.values(await onEngine(graph, fed(inputs)));
  const got = Array.from(made?.data ?? [], Number);
  expect(got.map((value) => value.toFixed(4))).toEqual(data.map((value) => value.toFixed(4)));
}
