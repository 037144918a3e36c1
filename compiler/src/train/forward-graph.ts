import { edit, type Graph, type ValueId } from "../ir/index.js";
import { bindBatch, type SampleDims } from "./bind-batch.js";
import { dropNothing, isDropout } from "./dropouts.js";
import { clearOutputs, giveOutput, liftConstant } from "./interface.js";
import type { LearnedConstant } from "./parameters.js";

/**
 * A model that gives chosen values of a batch, as `output_0`, `output_1`, …, and drops nothing.
 * @param lifted constants that are inputs, by `liftedName`, so that the same file answers for all their numbers
 */
export function forwardGraph(
  model: Graph,
  samples: SampleDims,
  batch: number,
  values: readonly ValueId[],
  lifted: readonly LearnedConstant[] = [],
): Graph {
  const graph = model.fork();
  bindBatch(graph, samples, batch);
  edit(
    graph,
    "forward",
    (editor) => {
      for (const [index, one] of lifted.entries()) liftConstant(editor, one, liftedName(index));
      clearOutputs(editor, graph);
      for (const node of graph.order()) if (isDropout(node)) dropNothing(editor, graph, node);
      for (const [index, value] of values.entries())
        giveOutput(editor, graph, value, `output_${index}`);
    },
    { interface: true },
  );
  return graph;
}

/** Of an input that was a constant. */
export function liftedName(index: number): string {
  return `learned_${index}`;
}
