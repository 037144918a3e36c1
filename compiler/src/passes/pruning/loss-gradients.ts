import type { Graph } from "../../ir/index.js";
import type { Example, Examples } from "../../pipeline/examples.js";
import type { PassContext } from "../../pipeline/pass.js";
import type { Gradients } from "../../prune/importance.js";
import { learnedConstants, trainedConstants } from "../../train/parameters.js";
import { servicesOf, teach } from "../distillation/teach.js";
import { distill } from "../distill.js";

/** More change little of what matters least. */
export const mostLossSamples = 512;

/** All samples once, and nothing is learned. */
const looking = distill.parse({
  epochs: 1,
  rate: 0,
  optimizer: "sgd",
  momentum: 0,
  weightDecay: 0,
  clip: 0,
  norms: "frozen",
  workers: 1,
});

/**
 * Gradients of the labels' loss by all weights, batch by batch.
 * @param graph as `bringToTrainable` leaves it; it stays as it is
 * @returns rejects as `teach` does: where there are no samples, or no labels
 */
export function lossGradients(graph: Graph, context: PassContext): Gradients {
  return async (onGradients) => {
    const learned = learnedConstants(graph);
    const trained = trainedConstants(graph, learned, []);
    const { examples, random, signal, onProgress } = servicesOf(context, "prune");
    const lesson = { graph, learned, trained, where: "prune" };
    await teach(lesson, looking, {
      examples: firstOf(examples),
      random,
      signal,
      onProgress,
      onGradients,
    });
  };
}

function firstOf(examples: Examples): Examples {
  const count = Math.min(mostLossSamples, examples.count);
  return {
    ...examples,
    count,
    async *read(): AsyncGenerator<Example> {
      let left = count;
      for await (const example of examples.read()) {
        yield example;
        left -= 1;
        if (left === 0) return;
      }
    },
  };
}
