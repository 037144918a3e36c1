import { definePass } from "../pipeline/pass.js";
import { convolveRepeats as rule } from "../rules/repeats.js";
import { runRules } from "../rules/run-rules.js";

export const convolveRepeats = definePass({
  name: "convolve-repeats",
  summary:
    "convolve what a Resize repeats once, by sums of weights: fewer products, in more weights",
  options: {},
  create: () => ({
    exactness: "rounding",
    run: (graph, context) => runRules(graph, [rule], context),
  }),
});
