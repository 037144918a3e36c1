import { isRecord, PareError } from "@pare/runtime/format";
import { type ModelJson, noModel } from "./model-json.js";
import type { WeightGroup } from "./weight-manifest.js";

/** A node as protobuf's JSON has it; its attributes are checked when they are asked for. */
export interface TensorflowNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly TensorReference[];
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** `split:1` is the second output of the node `split`. */
export interface TensorReference {
  readonly node: string;
  readonly output: number;
}

/** A tensor by the name that the model's users know it by. */
export interface NamedTensor {
  readonly name: string;
  readonly tensor: TensorReference;
  /** What the signature says of it: `TensorInfo` of meta_graph.proto, unchecked. */
  readonly info: Readonly<Record<string, unknown>>;
}

/** What `model.json` of a graph model says. */
export interface GraphModel {
  readonly nodes: ReadonlyMap<string, TensorflowNode>;
  /** Both are empty where the file has no signature. */
  readonly inputs: readonly NamedTensor[];
  readonly outputs: readonly NamedTensor[];
  readonly weights: readonly WeightGroup[];
}

/**
 * The topology is tensorflow/core/framework/graph.proto in protobuf's JSON.
 * @throws PareError MODEL_INVALID, MODEL_NAME
 */
export function graphModelOf({ file, topology, signature, weights }: ModelJson): GraphModel {
  const nodes = topology["node"];
  if (!Array.isArray(nodes)) throw noModel(file, "its modelTopology has no nodes");
  return {
    nodes: nodesByName(nodes, file),
    inputs: namedTensors(signature, "inputs"),
    outputs: namedTensors(signature, "outputs"),
    weights,
  };
}

function nodesByName(nodes: readonly unknown[], file: string): ReadonlyMap<string, TensorflowNode> {
  const found = new Map<string, TensorflowNode>();
  for (const [at, node] of nodes.entries()) {
    const { name, op, input = [], attr = {} } = isRecord(node) ? node : {};
    if (typeof name !== "string" || typeof op !== "string" || !isRecord(attr))
      throw noModel(file, `node ${at} has no name, operator or attributes`);
    if (!Array.isArray(input) || !input.every((one) => typeof one === "string"))
      throw noModel(file, `the inputs of node ${at} are no texts`);
    if (found.has(name))
      throw new PareError("MODEL_NAME", `Two nodes are called ${JSON.stringify(name)}.`, {
        where: name,
      });
    // What begins with ^ is only to run before.
    const data: readonly string[] = input.filter((one: string) => !one.startsWith("^"));
    found.set(name, { name, op, inputs: data.map(reference), attributes: attr });
  }
  return found;
}

function reference(text: string): TensorReference {
  const [, node = text, output = "0"] = /^(.*):(\d{1,4})$/s.exec(text) ?? [];
  return { node, output: Number(output) };
}

function namedTensors(signature: unknown, side: "inputs" | "outputs"): readonly NamedTensor[] {
  const entries = isRecord(signature) ? signature[side] : undefined;
  if (!isRecord(entries)) return [];
  return Object.entries(entries).map(([key, value]) => {
    const info = isRecord(value) ? value : {};
    const tensor = typeof info["name"] === "string" ? info["name"] : key;
    return { name: reference(key).node, tensor: reference(tensor), info };
  });
}
