import { directionsOf } from "../../ops/families/recurrent.js";
import type { Unary } from "../kernels/unary.js";
import type { NodeFacts } from "./node-facts.js";

/** A function that nodes over time name, and how many of the alphas and betas that are given it takes. */
interface Named {
  readonly takes: 0 | 1 | 2;
  readonly of: (alpha: number | undefined, beta: number | undefined) => Unary;
}

const plain = (kind: "relu" | "sigmoid" | "tanh" | "softplus" | "softsign"): Named => ({
  takes: 0,
  of: () => ({ kind }),
});

/** With what each is by itself: the operators of their names. */
const known: ReadonlyMap<string, Named> = new Map<string, Named>([
  ["relu", plain("relu")],
  ["sigmoid", plain("sigmoid")],
  ["tanh", plain("tanh")],
  ["softplus", plain("softplus")],
  ["softsign", plain("softsign")],
  ["elu", { takes: 1, of: (alpha = 1) => ({ kind: "elu", alpha, within: 1 }) }],
  ["leakyrelu", { takes: 1, of: (slope = 0.01) => ({ kind: "leaky-relu", slope }) }],
  [
    "hardsigmoid",
    { takes: 2, of: (alpha = 0.2, beta = 0.5) => ({ kind: "hard-sigmoid", alpha, beta }) },
  ],
]);

/**
 * The functions of a node's cell, those of each direction behind one another, by its attributes or as they are by themselves.
 * Each takes the next of the alphas and betas, if it takes any. Undefined where one of them is not compiled.
 */
export function cellFunctions(
  node: NodeFacts,
  own: readonly string[],
): readonly Unary[] | undefined {
  const directions = directionsOf(node.attributes);
  const given = node.attributes.get("activations");
  const names =
    given?.type === "strings"
      ? given.value.map((name) => (typeof name === "string" ? name.toLowerCase() : ""))
      : Array.from({ length: directions }, () => own).flat();
  if (names.length !== own.length * directions) return undefined;
  const alphas = [...(node.attributes.floats("activation_alpha") ?? [])];
  const betas = [...(node.attributes.floats("activation_beta") ?? [])];
  const found: Unary[] = [];
  for (const name of names) {
    const named = known.get(name);
    if (named === undefined) return undefined;
    const { takes, of } = named;
    found.push(of(takes > 0 ? alphas.shift() : undefined, takes > 1 ? betas.shift() : undefined));
  }
  return found;
}
