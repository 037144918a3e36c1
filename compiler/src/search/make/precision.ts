import { type Arithmetic, arithmeticOf, type Precision } from "@pare/runtime/format";
import { passes } from "../../passes/index.js";
import type { Pass } from "../../pipeline/pass.js";
import { findPass } from "../../pipeline/registry.js";
import type { StepGroup } from "../../pipeline/step.js";

const coarsestLast: readonly Arithmetic[] = ["float32", "float16", "integer"];

/** What steps make of a float model: of what they say the coarsest, and of equals the first. */
export function precisionOf(groups: readonly StepGroup[]): Precision {
  return groups
    .flatMap(passesIn)
    .reduce<Precision>((before, { precision = before }) => coarser(before, precision), "float32");
}

/** Of two that one file has both, the one that says more of its arithmetic; of equals the first. */
export function coarser(before: Precision, after: Precision): Precision {
  return before === "float32" || rank(after) > rank(before) ? after : before;
}

function rank(precision: Precision): number {
  return coarsestLast.indexOf(arithmeticOf[precision]);
}

export function passesIn({ steps }: StepGroup): readonly Pass[] {
  return steps.map(({ use, with: options }) => {
    const definition = findPass(passes, use);
    return definition.create(definition.parse(options));
  });
}
