import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import * as tensorflow from "@tensorflow/tfjs-core";
import { byteSource, type ByteSource, type Tensors } from "@pare/runtime/format";
import { expect } from "vitest";
import { importModel, type ModelSource } from "../import-model.js";
import { type Graph } from "../ir/index.js";
import { onEngine } from "../rules/rule-case.test.support.js";
import { simplifyGraph } from "../passes/simplify.js";

// It says less then, and computes the same.
tensorflow.env().set("PROD", true);
if (tensorflow.findBackend("cpu") === null)
  tensorflow.registerBackend("cpu", () => new MathBackendCPU());

export { tensorflow };

type Dtype = "float32" | "int32" | "bool";

/** Numbers with a type and sizes: what is fed, and what is stored. */
export interface Numbers {
  readonly dtype: Dtype;
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

/** A node; its attributes are as protobuf's JSON has them. */
export interface Node {
  readonly name?: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attr?: Readonly<Record<string, object>>;
}

export interface TensorflowModel {
  /** What is fed, by name; -1 in `free` for a size that the file leaves open. */
  readonly inputs: Readonly<Record<string, Numbers & { readonly free?: readonly number[] }>>;
  readonly weights?: Readonly<Record<string, Numbers>>;
  readonly nodes: readonly Node[];
  /** Tensors by the names of outputs; where not given, what the last node gives. */
  readonly outputs?: Readonly<Record<string, string>>;
  /** Some sizes are known only when it runs, as TensorFlow.js wants to be told. */
  readonly isDynamic?: boolean;
}

export const floats = (dims: readonly number[], data = spread(dims)): Numbers => ({
  dtype: "float32",
  dims,
  data: data.map(Math.fround),
});
export const ints = (
  data: readonly number[],
  dims: readonly number[] = [data.length],
): Numbers => ({
  dtype: "int32",
  dims,
  data,
});
export const flags = (
  data: readonly number[],
  dims: readonly number[] = [data.length],
): Numbers => ({
  dtype: "bool",
  dims,
  data,
});

export const attr = {
  int: (i: number) => ({ i: String(i) }),
  float: (f: number) => ({ f }),
  flag: (b: boolean) => ({ b }),
  text: (s: string) => ({ s: btoa(s) }),
  ints: (i: readonly number[]) => ({ list: { i: i.map(String) } }),
  texts: (s: readonly string[]) => ({ list: { s: s.map((one) => btoa(one)) } }),
  type: (type: string) => ({ type }),
};

const types = { float32: "DT_FLOAT", int32: "DT_INT32", bool: "DT_BOOL" } as const;

/** Numbers between -2 and 2 that look random, no two alike: the same for the same sizes. */
function spread(dims: readonly number[]): number[] {
  const count = dims.reduce((product, size) => product * size, 1);
  return Array.from(
    { length: count },
    (_, index) => (((index * 61 + 17) % 127) / 127) * 4 - 2 + index / 4096,
  );
}

/** `model.json` as an object, and its weights. */
export function modelJson(model: TensorflowModel): {
  readonly json: ModelJson;
  readonly weights: Uint8Array;
} {
  const stored = Object.entries(model.weights ?? {});
  const node = [
    ...Object.entries(model.inputs).map(([name, { dtype, dims, free }]) => ({
      name,
      op: "Placeholder",
      attr: {
        dtype: attr.type(types[dtype]),
        shape: { shape: { dim: (free ?? dims).map((size) => ({ size: String(size) })) } },
      },
    })),
    ...stored.map(([name, { dtype }]) => ({
      name,
      op: "Const",
      attr: { dtype: attr.type(types[dtype]) },
    })),
    ...model.nodes.map(({ name, op, inputs, attr: attributes = {} }) => ({
      name: name ?? "node",
      op,
      input: [...inputs],
      attr: attributes,
    })),
  ];
  const last = model.nodes.at(-1)?.name ?? "node";
  const outputs = Object.entries(model.outputs ?? { [last]: last });
  const weights = stored.map(([name, { dtype, dims }]) => ({ name, dtype, shape: [...dims] }));
  return {
    json: {
      format: "graph-model",
      modelTopology: { node, versions: { producer: 1, minConsumer: 1 } },
      signature: {
        inputs: named(Object.keys(model.inputs).map((name) => [name, name])),
        outputs: named(outputs),
      },
      weightsManifest: [{ paths: ["weights.bin"], weights }],
    },
    weights: joined(stored.map(([, numbers]) => bytesOf(numbers))),
  };
}

function named(entries: readonly (readonly [string, string])[]) {
  return Object.fromEntries(
    entries.map(([key, name]) => [key, { name: name.includes(":") ? name : `${name}:0` }]),
  );
}

export interface ModelJson {
  format: string;
  modelTopology: { node: object[]; versions: object };
  signature?: object;
  weightsManifest: {
    paths: string[];
    weights: { name: string; dtype: Dtype; shape: number[] }[];
  }[];
}

export function sourceOf(
  json: unknown,
  files: Readonly<Record<string, Uint8Array>> = {},
): ModelSource {
  return {
    name: "model.json",
    main: byteSource(new TextEncoder().encode(JSON.stringify(json))),
    beside: new Map(
      Object.entries(files).map(([name, bytes]): [string, ByteSource] => [name, byteSource(bytes)]),
    ),
  };
}

/** The graph that is read of a model. */
export async function graphOfModel(model: TensorflowModel): Promise<Graph> {
  const { json, weights } = modelJson(model);
  return importModel(sourceOf(json, { "weights.bin": weights }));
}

/** That a model gives on onnxruntime what TensorFlow.js gives, as it is read and simplified; the types as well. */
export async function expectAlike(model: TensorflowModel, tolerance = 1e-5): Promise<Graph> {
  const expected = await byTensorflow(model);
  const feeds = fed(model.inputs);
  const read = await graphOfModel(model);
  compare(expected, await onEngine(read, feeds), tolerance);
  const simplified = await graphOfModel(model);
  await simplifyGraph(simplified, {});
  compare(expected, await onEngine(simplified, feeds), tolerance);
  return read;
}

/** Numbers as an engine takes them. */
export function fed(inputs: Readonly<Record<string, Numbers>>): Tensors {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, dims, data }]) => [
      name,
      { type: dtype, dims, data: arrays[dtype].from(data) },
    ]),
  );
}

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

async function byTensorflow(model: TensorflowModel): Promise<Readonly<Record<string, Numbers>>> {
  const { json, weights } = modelJson(model);
  const [group] = json.weightsManifest;
  const loaded = await loadGraphModel({
    load: () =>
      Promise.resolve({
        modelTopology: json.modelTopology,
        weightSpecs: group?.weights ?? [],
        weightData: new Uint8Array(weights).buffer,
      }),
  });
  const taken = Object.entries(model.inputs).map(([name, { dtype, dims, data }]) => [
    name,
    tensorflow.tensor(arrays[dtype].from(data), [...dims], dtype),
  ]);
  const last = model.nodes.at(-1)?.name ?? "node";
  const outputs = Object.entries(model.outputs ?? { [last]: last });
  const names = outputs.map(([, tensor]) => tensor);
  const made =
    model.isDynamic === true
      ? await loaded.executeAsync(Object.fromEntries(taken), names)
      : loaded.execute(Object.fromEntries(taken), names);
  const list = Array.isArray(made) ? made : [made];
  const results = Object.fromEntries(
    outputs.map(([name], at): [string, Numbers] => {
      const tensor = list[at];
      if (tensor === undefined) throw new Error(`no ${name}`);
      return [
        name,
        { dtype: tensor.dtype as Dtype, dims: tensor.shape, data: [...tensor.dataSync()] },
      ];
    }),
  );
  loaded.dispose();
  return results;
}

function compare(
  expected: Readonly<Record<string, Numbers>>,
  made: Tensors,
  tolerance: number,
): void {
  for (const [name, { dtype, dims, data }] of Object.entries(expected)) {
    const tensor = made[name];
    expect({ name, type: tensor?.type, dims: tensor?.dims }).toEqual({ name, type: dtype, dims });
    const got = Array.from(tensor?.data ?? [], Number);
    const scale = Math.max(1, ...data.filter(Number.isFinite).map(Math.abs));
    for (const [index, value] of data.entries()) {
      const other = got[index] ?? Number.NaN;
      const isAlike =
        Object.is(value, other) || value === other || Math.abs(value - other) <= tolerance * scale;
      if (!isAlike) expect({ name, index, value: other }).toEqual({ name, index, value });
    }
  }
}

function bytesOf({ dtype, data }: Numbers): Uint8Array {
  return new Uint8Array(arrays[dtype].from(data).buffer);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
