import { definePass } from "../pipeline/pass.js";
import { trainingAccount } from "../train/account.js";
import { learningRuns, servicesOf } from "./distillation/teach.js";
import { described } from "./quantization-aware/options.js";
import { quantizeAwareGraph } from "./quantization-aware/quantize-aware-graph.js";

/** A step that rounds is guessed to take so much more. */
const rounding = 1.4;

/**
 * As `quantize-static`, after a training with rounding in it, so that weights and scales come to lie where rounding does
 * least harm. It learns from the teacher's answers and from labels, as `distill` does.
 */
export const quantizeAware = definePass({
  name: "quantize-aware",
  summary:
    "train with rounding in the model, then write int4 or int8 weights and uint8 activations (QDQ)",
  options: described,
  create: (options) => ({
    exactness: "lossy",
    precision: "int8",
    needs: "examples",
    learningRuns: (examples) => rounding * learningRuns(options, examples),
    async run(graph, context) {
      const { activations } = context;
      const services = servicesOf(context, "quantize-aware");
      const made = await quantizeAwareGraph(graph, options, {
        ...services,
        ...(activations && { activations }),
      });
      if (made !== null) context.onAccount?.(trainingAccount(made.trained));
    },
  }),
});
