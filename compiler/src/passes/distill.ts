import { definePass } from "../pipeline/pass.js";
import { distillInContext } from "./distillation/distill-graph.js";
import { described } from "./distillation/options.js";
import { learningRuns } from "./distillation/teach.js";

/**
 * Trains the model's weights to answer as a teacher does and as labels say. Without a teacher it trains on labels alone,
 * without labels on the teacher's answers alone.
 */
export const distill = definePass({
  name: "distill",
  summary: "train the weights on the teacher's answers and on labels",
  options: described,
  create: (options) => ({
    exactness: "lossy",
    needs: "examples",
    learningRuns: (examples) => learningRuns(options, examples),
    run: (graph, context) => distillInContext(graph, options, context),
  }),
});
