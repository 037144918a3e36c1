import type { Editor, Graph, Tensor, ValueId } from "../../ir/index.js";
import { OnnxWriter } from "../onnx-writer.js";
import type { LayerConfig } from "./layer-config.js";
import type { LayerWeights } from "./layer-weights.js";
import type { Masks } from "./masks.js";
import type { Layer } from "./layers-model.js";

/** How a layer is said in ONNX: gives what it gives. */
export type TranslateLayer = (at: LayerTranslation) => ValueId | readonly ValueId[];

/** What all layers of a model are translated with. */
export interface Surroundings {
  readonly editor: Editor;
  readonly graph: Graph;
  readonly weights: LayerWeights;
  readonly masks: Masks;
  /** @param isWrapped the last of the path is no model, but a layer that wraps this one */
  apply(
    layer: Layer,
    inputs: readonly ValueId[],
    path: readonly string[],
    isWrapped: boolean,
  ): readonly ValueId[];
}

/** One call of a layer on its way into the graph: what it reads is there already. */
export class LayerTranslation extends OnnxWriter {
  readonly layer: Layer;
  readonly config: LayerConfig;
  readonly inputs: readonly ValueId[];
  /** The names of what the layer is in, from outside in. */
  readonly #path: readonly string[];
  readonly #isWrapped: boolean;
  readonly #surroundings: Surroundings;

  constructor(
    layer: Layer,
    inputs: readonly ValueId[],
    path: readonly string[],
    isWrapped: boolean,
    surroundings: Surroundings,
  ) {
    super(layer.name, layer.kind, surroundings.editor, surroundings.graph);
    this.layer = layer;
    this.config = layer.config;
    this.inputs = inputs;
    this.#path = path;
    this.#isWrapped = isWrapped;
    this.#surroundings = surroundings;
  }

  /** What a layer of one input reads. @throws PareError MODEL_INVALID where it reads more or nothing */
  get input(): ValueId {
    const [only, ...more] = this.inputs;
    return only === undefined || more.length > 0
      ? this.invalid(`reads ${this.inputs.length} values`)
      : only;
  }

  get masks(): Masks {
    return this.#surroundings.masks;
  }

  get isChannelsLast(): boolean {
    return this.config.word("data_format") !== "channels_first";
  }

  /** @param rank how many axes it has */
  weight(name: string, rank?: number): ValueId {
    return this.find(name, rank).value;
  }

  /**
   * As `weight`, with the tensor. A layer that is wrapped has its weights under its own name, or its wrapper's.
   * @param inside the name of a part of the layer
   */
  find(
    name: string,
    rank?: number,
    inside?: string,
  ): { readonly value: ValueId; readonly tensor: Tensor } {
    const part = inside === undefined ? [] : [inside];
    const own = [...this.#path, this.name, ...part];
    const scopes = [own, ...(this.#isWrapped ? [[...this.#path, ...part]] : [])];
    return this.#surroundings.weights.find(this.layer, scopes, name, rank);
  }

  /** Applies the layer that this one wraps. */
  applyWrapped(inputs: readonly ValueId[]): readonly ValueId[] {
    const { wrapped } = this.layer;
    if (wrapped === undefined) return this.invalid("wraps no layer");
    return this.#surroundings.apply(wrapped, inputs, [...this.#path, this.name], true);
  }
}
