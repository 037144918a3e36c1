import { isRecord, nestingLimit, PareError } from "@pare/runtime/format";
import { LayerConfig } from "./layer-config.js";

/** What a layer gives at one of its calls. */
export interface LayerTensor {
  readonly layer: string;
  readonly call: number;
  readonly output: number;
}

/** A layer being applied to tensors; of shared ones there are several. */
export interface Call {
  readonly layer: Layer;
  readonly inputs: readonly LayerTensor[];
}

export interface Layer {
  readonly name: string;
  readonly kind: string;
  readonly config: LayerConfig;
  /** Of a model that is a layer of another. */
  readonly network: Network | undefined;
  /** What is applied to each step, or in both directions. */
  readonly wrapped: Layer | undefined;
}

/** Layers by the names that others read them by. */
export interface Network {
  readonly name: string;
  readonly layers: ReadonlyMap<string, Layer>;
  readonly calls: ReadonlyMap<string, readonly Call[]>;
  readonly inputs: readonly LayerTensor[];
  readonly outputs: readonly LayerTensor[];
}

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
  if (kind === undefined) throw invalid(file, file, "A layer has no class_name");
  const fields = Array.isArray(config) ? { layers: config } : config;
  if (!isRecord(fields)) throw invalid(file, kind, `A layer ${kind} has no config`);
  const name = textIn(fields, "name") ?? textIn(data, "name") ?? (depth === 0 ? kind : undefined);
  if (name === undefined) throw invalid(file, kind, `A layer ${kind} has no name`);
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
  if (first === undefined) throw invalid(file, config.name, `${config.name} has no layers`);
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
    if (!Array.isArray(nodes)) throw invalid(file, name, `${name} has no list of inbound_nodes`);
    const made = nodes.map((node: unknown) => ({ layer, inputs: tensorsOf(node, name, file) }));
    calls.set(name, layer.kind === "InputLayer" ? [{ layer, inputs: [] }] : made);
  }
  const ends = (key: string) => tensorsOf(config.list(key), config.name, file);
  const [inputs, outputs] = [ends("input_layers"), ends("output_layers")];
  if (outputs.length === 0) throw invalid(file, config.name, `${config.name} has no outputs`);
  const counted = countedFromZero({ name: config.name, layers, calls, inputs, outputs });
  return counted;
}

/**
 * The first call of a model within a model is the one that built it, and is not among its calls here. Not every writer
 * counts it: where nobody reads call 0 of such a layer, they do.
 */
function countedFromZero(network: Network): Network {
  const all = [...network.calls.values()].flat();
  const read = [...all.flatMap(({ inputs }) => inputs), ...network.outputs];
  const zero = new Set(read.filter(({ call }) => call === 0).map(({ layer }) => layer));
  const less = (tensor: LayerTensor): LayerTensor =>
    network.layers.get(tensor.layer)?.network === undefined || zero.has(tensor.layer)
      ? tensor
      : { ...tensor, call: tensor.call - 1 };
  const calls = [...network.calls].map(([name, list]): [string, readonly Call[]] => [
    name,
    list.map(({ layer, inputs }) => ({ layer, inputs: inputs.map(less) })),
  ]);
  return { ...network, calls: new Map(calls), outputs: network.outputs.map(less) };
}

/** [layer, call, output, …] for each; a single one may stand by itself. */
function tensorsOf(listed: unknown, owner: string, file: string): readonly LayerTensor[] {
  if (!Array.isArray(listed)) throw invalid(file, owner, `${owner} has no list of what it reads`);
  const each: readonly unknown[] = typeof listed[0] === "string" ? [listed] : listed;
  return each.map((one) => {
    const [layer, call, output]: readonly unknown[] = Array.isArray(one) ? one : [];
    if (typeof layer !== "string" || !isIndex(call) || !isIndex(output))
      throw invalid(file, owner, `What ${owner} reads is not named by layer, call and output`);
    return { layer, call, output };
  });
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

function isIndex(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function invalid(file: string, where: string, what: string): PareError {
  return new PareError("MODEL_INVALID", `${what}, in ${file}.`, { where });
}
