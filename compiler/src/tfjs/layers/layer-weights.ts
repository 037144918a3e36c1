import { PareError } from "@pare/runtime/format";
import type { Editor, Tensor, ValueId } from "../../ir/index.js";
import type { Layer } from "./layers-model.js";

/**
 * Weights as layers ask for them. A layer's are called `layer/kernel`, behind the names of models that built it; Keras
 * puts the name of a recurrent layer's cell before the last part, which TensorFlow.js leaves out
 * (Container.loadWeights in tfjs-layers/src/engine/container.ts).
 */
export class LayerWeights {
  readonly #tensors: ReadonlyMap<string, Tensor>;
  readonly #editor: Editor;
  readonly #file: string;
  readonly #withoutCell = new Map<string, string>();
  readonly #values = new Map<string, { readonly value: ValueId; readonly layer: Layer }>();

  constructor(tensors: ReadonlyMap<string, Tensor>, editor: Editor, file: string) {
    this.#tensors = tensors;
    this.#editor = editor;
    this.#file = file;
    for (const name of tensors.keys()) {
      const parts = name.split("/");
      if (parts.length > 2) this.#withoutCell.set([...parts.slice(0, -2), ...parts.slice(-1)].join("/"), name); // prettier-ignore
    }
  }

  /**
   * @param scopes where the weight may be, the likeliest first: names of models and layers from outside in
   * @throws PareError MODEL_INVALID where it is nowhere, or has another number of axes; MODEL_NAME where another layer has it
   */
  find(
    layer: Layer,
    scopes: readonly (readonly string[])[],
    weight: string,
    rank: number | undefined,
  ): { readonly value: ValueId; readonly tensor: Tensor } {
    const names = scopes.flatMap((scope) =>
      scope.map((_, from) => [...scope.slice(from), weight].join("/")),
    );
    const name =
      names.find((one) => this.#tensors.has(one)) ??
      names.map((one) => this.#withoutCell.get(one)).find((one) => one !== undefined);
    const tensor = name === undefined ? undefined : this.#tensors.get(name);
    if (name === undefined || tensor === undefined)
      throw this.#wrong(
        layer,
        `${JSON.stringify(layer.name)} has no weight ${JSON.stringify(names.at(-1))}`,
      );
    if (rank !== undefined && tensor.dims.length !== rank)
      throw this.#wrong(layer, `${JSON.stringify(name)} is of [${tensor.dims.join(", ")}]`);
    return { value: this.#valueOf(name, tensor, layer), tensor };
  }

  #valueOf(name: string, tensor: Tensor, layer: Layer): ValueId {
    const known = this.#values.get(name);
    if (known === undefined) {
      const value = this.#editor.constant(name, tensor);
      this.#values.set(name, { value, layer });
      return value;
    }
    if (known.layer === layer) return known.value;
    throw new PareError("MODEL_NAME", `Two layers have the weight ${JSON.stringify(name)}.`, {
      where: name,
    });
  }

  #wrong({ name }: Layer, why: string): PareError {
    return new PareError("MODEL_INVALID", `In ${this.#file}, ${why}.`, { where: name });
  }
}
