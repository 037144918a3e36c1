import { definePass } from "../pipeline/pass.js";
import { distillInContext } from "./distillation/distill-graph.js";
import { described } from "./distillation/options.js";

/**
 * What a sample's share of a step takes, in runs of the model with its weights as constants: 8 to 11 were measured of
 * convolutions, 4 of transformers, and a batch of one is dearer than a share of many.
 */
const runsPerSample = 6;

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
    learningRuns: (examples) => options.epochs * examples * runsPerSample,
    run: (graph, context) => distillInContext(graph, options, context),
  }),
});
