import { type ByteSource, PareError } from "@pare/runtime/format";
import { build, type Graph, type Infer, mostAxes, newHeader } from "../../ir/index.js";
import { type DeclaredInput, inputTypes } from "../input-types.js";
import type { ModelJson } from "../model-json.js";
import { readWeights } from "../weights.js";
import { LayersApplied } from "./apply-layers.js";
import type { LayerConfig } from "./layer-config.js";
import { LayerWeights } from "./layer-weights.js";
import type { Layer, Network } from "./layers-model.js";
import { layerOf } from "./parse-layers.js";
import { refuseUnknownLayers } from "./refuse-unknown-layers.js";

/**
 * A layers model of TensorFlow.js as a graph of ONNX's operators: what it computes where it does not learn. Inputs and
 * outputs are called what their layers are.
 * @throws PareError MODEL_INVALID, MODEL_NAME, MODEL_CYCLE, MODEL_LIMIT, EXTERNAL_DATA, UNSUPPORTED_OP naming all layers that
 * are not known, or the layer that cannot be said in ONNX
 */
export async function importLayersModel(
  { file, layers, weights }: ModelJson,
  beside: ReadonlyMap<string, ByteSource>,
  infer: Infer,
): Promise<Graph> {
  const model = layerOf(layers, file);
  const { network } = model;
  if (network === undefined)
    throw new PareError(
      "MODEL_INVALID",
      `${file} is a ${JSON.stringify(model.kind)}, and no model.`,
      {
        where: file,
      },
    );
  refuseUnknownLayers(model);
  const declared = network.inputs.map(({ layer }) => declaredInput(network.layers.get(layer)));
  const tensors = await readWeights(weights, beside);
  return build(newHeader(), infer, (editor, graph) => {
    const applied = new LayersApplied(editor, graph, new LayerWeights(tensors, editor, file));
    const types = inputTypes(declared);
    const inputs = declared.flatMap(({ name }, at) => {
      const type = types[at];
      return type === undefined ? [] : [editor.addInput(name, type)];
    });
    const taken = new Set(declared.map(({ name }) => name));
    for (const [at, value] of applied.network(network, inputs, []).entries()) {
      const name = unused(outputName(network, at), taken);
      editor.addOutput(editor.add1("Identity", [value], {}, { outputs: [name] }));
    }
  });
}

function declaredInput(layer: Layer | undefined): DeclaredInput {
  if (layer === undefined) throw new PareError("MODEL_NAME", "An input is no layer of the model.");
  const { name, config } = layer;
  const shape = config.shape("batch_input_shape") ?? config.shape("batch_shape") ?? implied(config);
  if (shape === undefined || shape.length > mostAxes)
    throw new PareError("MODEL_INVALID", `${JSON.stringify(name)} does not say what it takes.`, {
      where: name,
      hint: "Save the model with its input_shape: tf.layers.inputLayer, or inputShape of its first layer.",
    });
  return { name, dtype: config.dtype() ?? "float32", shape };
}

/** What the constructors of these layers take where they are told nothing more. */
function implied(config: LayerConfig): readonly number[] | undefined {
  const inner = config.shape("input_shape");
  if (inner !== undefined) return [-1, ...inner];
  switch (config.kind) {
    case "Embedding":
      return [-1, ...(config.integers("input_length") ?? [-1])];
    case "Dense":
      return config.has("input_dim") ? [-1, config.count("input_dim")] : undefined;
    default:
      return undefined;
  }
}

function outputName(network: Network, at: number): string {
  const layer = network.outputs[at]?.layer ?? "";
  return network.layers.get(layer)?.name ?? layer;
}

function unused(name: string, taken: Set<string>): string {
  let found = name;
  for (let count = 1; taken.has(found); count += 1) found = `${name}_${count}`;
  taken.add(found);
  return found;
}
