import type { VectorMemory } from "../vector-memory.js";
import { AdamW } from "./adamw.js";
import type { Optimizer, OptimizerOptions, Slot } from "./optimizer.js";
import { Sgd } from "./sgd.js";

/** @param arrays holds the slots' values and all gradients, and has room for `arraysOf` more of each slot's size */
export function createOptimizer(
  options: OptimizerOptions,
  slots: readonly Slot[],
  arrays: VectorMemory,
): Optimizer {
  switch (options.kind) {
    case "sgd":
      return new Sgd(options, slots);
    case "adamw":
      return new AdamW(options, slots, arrays);
    default:
      return options satisfies never;
  }
}

/** How many arrays of each slot's size an optimizer takes of the memory. */
export function arraysOf({ kind }: OptimizerOptions): number {
  return kind === "adamw" ? AdamW.arrays : 0;
}
