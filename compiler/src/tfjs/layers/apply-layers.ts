import { PareError } from "@pare/runtime/format";
import type { Editor, Graph, ValueId } from "../../ir/index.js";
import { eachBehindItsInputs } from "../each-behind-its-inputs.js";
import { OutputNames } from "../output-names.js";
import { LayerTranslation } from "./layer-translation.js";
import type { LayerWeights } from "./layer-weights.js";
import type { Call, Layer, LayerTensor, Network } from "./layers-model.js";
import { Masks } from "./masks.js";
import { layers } from "./table.js";

/** Models within models that are applied several times multiply: far more than any model has. */
const mostCalls = 65_536;

/** Puts layers into a graph, each as often as it is called. */
export class LayersApplied {
  readonly #editor: Editor;
  readonly #graph: Graph;
  readonly #weights: LayerWeights;
  readonly #names: OutputNames;
  readonly #masks = new Masks();
  readonly #orders = new Map<Network, readonly Call[]>();
  #calls = 0;

  constructor(editor: Editor, graph: Graph, weights: LayerWeights) {
    this.#editor = editor;
    this.#graph = graph;
    this.#weights = weights;
    this.#names = new OutputNames(editor, graph);
  }

  /** @returns what its outputs are */
  network(
    network: Network,
    inputs: readonly ValueId[],
    path: readonly string[],
  ): readonly ValueId[] {
    if (inputs.length !== network.inputs.length)
      throw new PareError(
        "MODEL_INVALID",
        `${JSON.stringify(network.name)} takes ${network.inputs.length} values, and is given ${inputs.length}.`,
        { where: network.name },
      );
    const values = new Map<Call, readonly ValueId[]>();
    for (const [at, input] of network.inputs.entries()) {
      const value = inputs[at];
      if (value !== undefined) values.set(callOf(network, input), [value]);
    }
    const valueOf = (tensor: LayerTensor): ValueId => {
      const value = values.get(callOf(network, tensor))?.[tensor.output];
      return value ?? missing(network, tensor);
    };
    for (const call of this.#orderOf(network)) {
      if (values.has(call)) continue;
      values.set(call, this.layer(call.layer, call.inputs.map(valueOf), path, false));
    }
    return network.outputs.map(valueOf);
  }

  layer(
    layer: Layer,
    inputs: readonly ValueId[],
    path: readonly string[],
    isWrapped: boolean,
  ): readonly ValueId[] {
    this.#calls += 1;
    if (this.#calls > mostCalls)
      throw new PareError("MODEL_LIMIT", `Layers are applied more than ${mostCalls} times.`, {
        where: layer.name,
      });
    if (layer.network !== undefined)
      return this.network(layer.network, inputs, [...path, layer.name]);
    const translate = layers.get(layer.kind);
    if (translate === undefined) throw new PareError("INTERNAL", `${layer.kind} is not known.`);
    const made = translate(
      new LayerTranslation(layer, inputs, path, isWrapped, {
        editor: this.#editor,
        graph: this.#graph,
        weights: this.#weights,
        masks: this.#masks,
        apply: (...wrapped) => this.layer(...wrapped),
      }),
    );
    const outputs = typeof made === "number" ? [made] : made;
    this.#masks.follow(layer.kind, inputs, outputs);
    this.#names.give(outputs, [...path, layer.name].join("/"));
    return outputs;
  }

  #orderOf(network: Network): readonly Call[] {
    const known = this.#orders.get(network);
    if (known !== undefined) return known;
    const given = new Set(network.inputs.map((input) => callOf(network, input)));
    const order = eachBehindItsInputs(
      network.outputs.map((output) => callOf(network, output)),
      (call) => (given.has(call) ? [] : call.inputs.map((input) => callOf(network, input))),
      ({ layer }) => layer.name,
    );
    this.#orders.set(network, order);
    return order;
  }
}

function callOf(network: Network, tensor: LayerTensor): Call {
  return network.calls.get(tensor.layer)?.[tensor.call] ?? missing(network, tensor);
}

function missing(network: Network, { layer, call, output }: LayerTensor): never {
  throw new PareError(
    "MODEL_NAME",
    `In ${JSON.stringify(network.name)}, ${JSON.stringify(layer)} is read, but has no output ${output} of call ${call}.`,
    { where: layer },
  );
}
