import type { PassStep } from "../passes/index.js";
import type { Recipe } from "../pipeline/recipe.js";
import type { StepGroup } from "../pipeline/step.js";

/** A step that is measured by itself. */
function alone(step: PassStep): StepGroup<PassStep> {
  return { steps: [step], required: false };
}

/** Steps that are measured as one: what the first breaks, the next repairs. */
function together(steps: readonly PassStep[]): StepGroup<PassStep> {
  return { steps, required: false };
}

/** Cut to a share of the multiplications that came to it, fitted, which is a better start, and taught again. */
function cutAndTaught(keepFlops: number): StepGroup<PassStep> {
  return together([{ use: "prune", with: { keepFlops, reconstruct: true } }, { use: "distill" }]);
}

/** The recipes that `--recipe` knows by name. */
export const presets = {
  auto: {
    name: "auto",
    summary: "simplify, then what each target's table proposes, as far as measurement agrees",
    groups: [alone({ use: "simplify" })],
    propose: true,
  },
  simplify: {
    name: "simplify",
    summary: "the float model, simplified, and nothing else",
    groups: [alone({ use: "simplify" })],
    propose: false,
  },
  prune: {
    name: "prune",
    summary: "four tenths of the multiplications gone, then taught again; targets propose for that",
    groups: [alone({ use: "simplify" }), cutAndTaught(0.6)],
    propose: true,
  },
  sweep: {
    name: "sweep",
    summary:
      "cut by a quarter three times, taught again after each, and no further than accuracy allows; targets propose for that",
    groups: [
      alone({ use: "simplify" }),
      cutAndTaught(0.75),
      cutAndTaught(0.75),
      cutAndTaught(0.75),
    ],
    propose: true,
  },
  distill: {
    name: "distill",
    summary: "the same network trained on: by labels, and by its own answers before",
    groups: [alone({ use: "simplify" }), alone({ use: "distill" })],
    propose: false,
  },
  small: {
    name: "small",
    summary:
      "pruned to about a third of the multiplications and taught again, then quantized as targets propose",
    groups: [alone({ use: "simplify" }), cutAndTaught(0.35)],
    propose: true,
  },
  "quantize-aware": {
    name: "quantize-aware",
    summary:
      "trained with rounding in the model, then written with weights of 4 bits and activations of 8",
    groups: [alone({ use: "simplify" }), alone({ use: "quantize-aware" })],
    propose: false,
  },
  smaller: {
    name: "smaller",
    summary:
      "as small, then trained with rounding to weights of 4 bits in it; targets propose where that does not hold",
    groups: [alone({ use: "simplify" }), cutAndTaught(0.35), alone({ use: "quantize-aware" })],
    propose: true,
  },
  "naive-per-tensor": {
    name: "naive-per-tensor",
    summary: "the plain way: per-tensor min-max int8 on every operator",
    groups: [
      alone({ use: "simplify" }),
      alone({
        use: "quantize-static",
        with: { granularity: "tensor", ranges: "minmax", ops: "all", reduceRange: false },
      }),
    ],
    propose: false,
  },
} satisfies Record<string, Recipe<PassStep>>;

export type PresetName = keyof typeof presets;

export function isPreset(name: string): name is PresetName {
  return Object.hasOwn(presets, name);
}
