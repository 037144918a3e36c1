import { PareError } from "@pare/runtime/format";
import type { AttributeReader } from "../schema/attributes.js";

export type Activation = (x: number) => number;

/** The functions that recurrent operators name, with the defaults of their alpha and beta. */
const known: Readonly<
  Record<string, readonly [number, number, (x: number, alpha: number, beta: number) => number]>
> = {
  Affine: [1, 0, (x, alpha, beta) => alpha * x + beta],
  Elu: [1, 0, (x, alpha) => (x < 0 ? alpha * Math.expm1(x) : x)],
  HardSigmoid: [0.2, 0.5, (x, alpha, beta) => Math.max(0, Math.min(1, alpha * x + beta))],
  LeakyRelu: [0.01, 0, (x, alpha) => (x < 0 ? alpha * x : x)],
  Relu: [0, 0, (x) => Math.max(0, x)],
  ScaledTanh: [1, 1, (x, alpha, beta) => alpha * Math.tanh(beta * x)],
  Sigmoid: [0, 0, (x) => 1 / (1 + Math.exp(-x))],
  Softplus: [0, 0, (x) => Math.log1p(Math.exp(x))],
  Softsign: [0, 0, (x) => x / (1 + Math.abs(x))],
  Tanh: [0, 0, Math.tanh],
  ThresholdedRelu: [1, 0, (x, alpha) => (x > alpha ? x : 0)],
};

/** A recurrent operator's functions, by `activations` or its defaults. @throws PareError UNSUPPORTED_OP */
export function activations(
  attributes: AttributeReader,
  defaults: readonly string[],
): readonly Activation[] {
  const given = attributes.get("activations");
  const names = given?.type === "strings" ? given.value.map(String) : defaults;
  const alphas = attributes.floats("activation_alpha");
  const betas = attributes.floats("activation_beta");
  return names.map((name, index) => {
    const found = Object.entries(known).find(
      ([other]) => other.toLowerCase() === name.toLowerCase(),
    );
    if (found === undefined)
      throw new PareError("UNSUPPORTED_OP", `There is no activation ${name}.`);
    const [alpha, beta, apply] = found[1];
    return (x) => apply(x, alphas?.[index] ?? alpha, betas?.[index] ?? beta);
  });
}
