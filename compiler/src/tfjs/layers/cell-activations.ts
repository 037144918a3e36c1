import { attribute, type Attributes } from "../../ir/index.js";
import type { LayerConfig } from "./layer-config.js";
import type { LayerTranslation } from "./layer-translation.js";

/** An activation as ONNX's cells have it, with as many numbers as they take there. */
interface CellActivation {
  readonly name: string;
  readonly alpha?: number;
  readonly beta?: number;
}

const known: ReadonlyMap<string, CellActivation> = new Map(
  Object.entries({
    elu: { name: "Elu", alpha: 1 },
    hard_sigmoid: { name: "HardSigmoid", alpha: 0.2, beta: 0.5 },
    linear: { name: "Affine", alpha: 1, beta: 0 },
    relu: { name: "Relu" },
    sigmoid: { name: "Sigmoid" },
    softplus: { name: "Softplus" },
    softsign: { name: "Softsign" },
    tanh: { name: "Tanh" },
  }),
);

/** What a recurrent layer is configured with; numbers of all that take some follow one another. */
export function cellActivations(at: LayerTranslation, config: LayerConfig): Attributes {
  const named = (key: string, otherwise: string): CellActivation => {
    const word = config.activation(key, otherwise);
    return known.get(word) ?? at.refuse(`its ${key} is ${JSON.stringify(word)}`);
  };
  const own = named("activation", "tanh");
  const gate = config.kind === "SimpleRNN" ? [] : [named("recurrent_activation", "hard_sigmoid")];
  const all = [...gate, own, ...(config.kind === "LSTM" ? [own] : [])];
  const alphas = all.flatMap(({ alpha }) => alpha ?? []);
  const betas = all.flatMap(({ beta }) => beta ?? []);
  return {
    activations: { type: "strings", value: all.map(({ name }) => name) },
    ...(alphas.length > 0 && { activation_alpha: attribute.floats(alphas) }),
    ...(betas.length > 0 && { activation_beta: attribute.floats(betas) }),
  };
}
