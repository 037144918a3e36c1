import type { ValueId } from "../../ir/index.js";
import { operand, type Step } from "./adapter.js";

/** x · σ(α x). @param usual α where the node does not say it */
export function swish(step: Step, usual: number): ValueId {
  const x = operand(step, 0);
  const alpha = step.attributes.float("alpha", usual);
  const inner = alpha === 1 ? x : step.add("Mul", [x, step.float("alpha", [alpha], [])]);
  return step.add("Mul", [x, step.add("Sigmoid", [inner])]);
}
