import { isRecord, nestingLimit, PareError } from "@pare/runtime/format";
import { LayerConfig } from "./layer-config.js";
import { countedFromZero, invalidLayers, tensorsOf } from "./layer-tensors.js";
import type { Call, Layer, LayerTensor, Network } from "./layers-model.js";

/**
 * What a serialized model says, a layer as any other: tfjs-layers/src/keras_format.
 * @throws PareError MODEL_INVALID, MODEL_NAME, MODEL_LIMIT for models within models without end
 */
export function layerOf(serialized: unknown, file: string, depth = 0): Layer {
  if (depth > nestingLimit)
    throw new PareError("MODEL_LIMIT", `In ${file}, layers nest more than ${nestingLimit} deep.`, {
      where: file,
    });
  const data = isRecord(serialized) ? serialized : {};
  const kind = textIn(data, "class_name", "className");
  const { config } = data;
  if (kind === undefined) throw invalidLayers(file, file, "A layer has no class_name");
  const fields = Array.isArray(config) ? { layers: config } : config;
  if (!isRecord(fields))
    throw invalidLayers(file, kind, `A layer ${JSON.stringify(kind)} has no config`);
  const name = textIn(fields, "name") ?? textIn(data, "name") ?? (depth === 0 ? kind : undefined);
  if (name === undefined)
    throw invalidLayers(file, kind, `A layer ${JSON.stringify(kind)} has no name`);
  const known = new LayerConfig(name, kind, fields);
  const inner = known.has("layer") ? layerOf(known.record("layer"), file, depth + 1) : undefined;
  const network = networkOf(kind, known, file, depth);
  return { name, kind, config: known, network, wrapped: inner };
}

function networkOf(kind: string, config: LayerConfig, file: string, depth: number) {
  switch (kind) {
    case "Sequential":
      return sequence(config, file, depth);
    case "Functional":
    case "LayersModel":
    case "Model":
      return functional(config, file, depth);
    default:
      return undefined;
  }
}

/** One layer behind the other. The first says what the model takes, where no InputLayer does. */
function sequence(config: LayerConfig, file: string, depth: number): Network {
  const listed = (config.list("layers") ?? []).map((one) => layerOf(one, file, depth + 1));
  const [first] = listed;
  if (first === undefined)
    throw invalidLayers(file, config.name, `${JSON.stringify(config.name)} has no layers`);
  const all = first.kind === "InputLayer" ? listed : [inputBefore(first), ...listed];
  const layers = new Map<string, Layer>();
  const calls = new Map<string, readonly Call[]>();
  const tensors: LayerTensor[] = [];
  for (const layer of all) {
    enter(layers, layer.name, layer);
    calls.set(layer.name, [{ layer, inputs: tensors.slice(-1) }]);
    tensors.push({ layer: layer.name, call: 0, output: 0 });
  }
  return {
    name: config.name,
    layers,
    calls,
    inputs: tensors.slice(0, 1),
    outputs: tensors.slice(-1),
  };
}

/** As tfjs-layers/src/models.ts makes it: Sequential.add. */
function inputBefore(first: Layer): Layer {
  const [input] = first.network?.inputs ?? [];
  const own = input === undefined ? undefined : first.network?.layers.get(input.layer);
  if (own !== undefined) return own;
  return {
    name: `${first.name}_input`,
    kind: "InputLayer",
    config: first.config,
    network: undefined,
    wrapped: undefined,
  };
}

function functional(config: LayerConfig, file: string, depth: number): Network {
  const layers = new Map<string, Layer>();
  const calls = new Map<string, readonly Call[]>();
  for (const serialized of config.list("layers") ?? []) {
    const layer = layerOf(serialized, file, depth + 1);
    const data = isRecord(serialized) ? serialized : {};
    const name = textIn(data, "name") ?? layer.name;
    enter(layers, name, layer);
    const nodes = data["inbound_nodes"] ?? data["inboundNodes"] ?? [];
    if (!Array.isArray(nodes))
      throw invalidLayers(file, name, `${JSON.stringify(name)} has no list of inbound_nodes`);
    const made = nodes.map((node: unknown) => ({ layer, inputs: tensorsOf(node, name, file) }));
    calls.set(name, layer.kind === "InputLayer" ? [{ layer, inputs: [] }] : made);
  }
  const ends = (key: string) => tensorsOf(config.list(key), config.name, file);
  const [inputs, outputs] = [ends("input_layers"), ends("output_layers")];
  if (outputs.length === 0)
    throw invalidLayers(file, config.name, `${JSON.stringify(config.name)} has no outputs`);
  return countedFromZero({ name: config.name, layers, calls, inputs, outputs });
}

function enter(layers: Map<string, Layer>, name: string, layer: Layer): void {
  if (layers.has(name))
    throw new PareError("MODEL_NAME", `Two layers are called ${JSON.stringify(name)}.`, {
      where: name,
    });
  layers.set(name, layer);
}

function textIn(fields: Readonly<Record<string, unknown>>, ...keys: readonly string[]) {
  const found = keys.map((key) => (Object.hasOwn(fields, key) ? fields[key] : undefined));
  return found.find((value) => typeof value === "string");
}
