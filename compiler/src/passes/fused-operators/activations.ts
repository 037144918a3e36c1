import { attribute, type ValueId } from "../../ir/index.js";
import { operand, type Step } from "../opset/adapter.js";
import { swish } from "../opset/swish.js";

/** x · Φ(x), or its approximation by tanh, of a sum with a bias. */
const gelu =
  (approximate: "none" | "tanh") =>
  (step: Step): void => {
    const [x, bias] = [operand(step, 0), step.input(1)];
    const sum = bias === undefined ? x : step.add("Add", [x, bias]);
    step.replaceBy(step.add("Gelu", [sum], { approximate: attribute.string(approximate) }));
  };

export const activationWords: Readonly<Record<string, (step: Step) => void>> = {
  "com.microsoft::Gelu": gelu("none"),
  "com.microsoft::QuickGelu": (step) => step.replaceBy(swish(step, 1.702)),
  "com.microsoft::BiasGelu": gelu("none"),
  "com.microsoft::FastGelu": gelu("tanh"),
};

/** What a convolution or product may end with, and the numbers that it then has. */
const fused: ReadonlyMap<string, readonly string[]> = new Map([
  ["Elu", ["alpha"]],
  ["HardSigmoid", ["alpha", "beta"]],
  ["LeakyRelu", ["alpha"]],
  ["Relu", []],
  ["Selu", ["alpha", "gamma"]],
  ["Sigmoid", []],
  ["Softplus", []],
  ["Softsign", []],
  ["Tanh", []],
  ["ThresholdedRelu", ["alpha"]],
]);

/**
 * What the attribute `activation` names, of x.
 * @param number of a name of the activation's attributes, which is its place-th: what the fused operator has for it
 */
export function activated(
  step: Step,
  x: ValueId,
  number: (name: string, place: number) => number | undefined,
): ValueId {
  const name = step.attributes.string("activation", "");
  if (name === "" || name === "Identity") return x;
  if (name === "Clip")
    return step.add("Clip", [x, ...["min", "max"].map((end, at) => limit(step, number(end, at)))]);
  const names = fused.get(name) ?? step.refuse("its activation is not known");
  const attributes = names.flatMap((own, place) => {
    const value = number(own, place);
    return value === undefined ? [] : [[own, attribute.float(value)] as const];
  });
  return step.add(name, [x], Object.fromEntries(attributes));
}

function limit(step: Step, value: number | undefined): ValueId | null {
  return value === undefined ? null : step.float("limit", [value], []);
}
