import { AdamW } from "./adamw.js";
import type { Optimizer, OptimizerOptions, Slot } from "./optimizer.js";
import { Sgd } from "./sgd.js";

export function createOptimizer(options: OptimizerOptions, slots: readonly Slot[]): Optimizer {
  switch (options.kind) {
    case "sgd":
      return new Sgd(options, slots);
    case "adamw":
      return new AdamW(options, slots);
    default:
      return options satisfies never;
  }
}
