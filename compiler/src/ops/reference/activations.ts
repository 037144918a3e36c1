import { PareError } from "@pare/runtime/format";
import type { AttributeReader } from "../schema/attributes.js";
import {
  elu,
  hardSigmoid,
  leakyRelu,
  type Real,
  relu,
  sigmoid,
  softplus,
  softsign,
  thresholdedRelu,
} from "./curves.js";

/** A function that recurrent operators name: whether it takes an alpha, or a beta as well, and what it is with these. */
type Named = readonly [takes: 0 | 1 | 2, of: (alpha?: number, beta?: number) => Real];

const known: Readonly<Record<string, Named>> = {
  Affine: [
    2,
    (alpha = 1, beta = 0) =>
      (x) =>
        alpha * x + beta,
  ],
  Elu: [1, elu],
  HardSigmoid: [2, hardSigmoid],
  LeakyRelu: [1, leakyRelu],
  Relu: [0, () => relu],
  ScaledTanh: [
    2,
    (alpha = 1, beta = 1) =>
      (x) =>
        alpha * Math.tanh(beta * x),
  ],
  Sigmoid: [0, () => sigmoid],
  Softplus: [0, () => softplus],
  Softsign: [0, () => softsign],
  Tanh: [0, () => Math.tanh],
  ThresholdedRelu: [1, thresholdedRelu],
};

/**
 * A recurrent operator's functions, by `activations` or its defaults. Each takes the next of the alphas and betas that are
 * given, if it takes any at all.
 *
 * @throws PareError UNSUPPORTED_OP
 */
export function activations(
  attributes: AttributeReader,
  defaults: readonly string[],
): readonly Real[] {
  const given = attributes.get("activations");
  const names = given?.type === "strings" ? given.value.map(String) : defaults;
  const alphas = [...(attributes.floats("activation_alpha") ?? [])];
  const betas = [...(attributes.floats("activation_beta") ?? [])];
  return names.map((name) => {
    const found = Object.entries(known).find(
      ([other]) => other.toLowerCase() === name.toLowerCase(),
    );
    if (found === undefined)
      throw new PareError("UNSUPPORTED_OP", `There is no activation ${name}.`);
    const [takes, of] = found[1];
    return of(takes > 0 ? alphas.shift() : undefined, takes > 1 ? betas.shift() : undefined);
  });
}
