import type { Graph, ValueId } from "../../ir/index.js";
import type { Range } from "../../quantize/scale.js";
import { given } from "./operators.js";

/** Where a value's range is another one than what it was seen to hold. */
export type AdjustedRange =
  | { readonly kind: "given"; readonly range: Range }
  /** As of what a Relu or Clip, its only reader, gives. */
  | { readonly kind: "of"; readonly value: ValueId };

/** `adjust_tensor_ranges` of onnxruntime's quantization/base_quantizer.py (1.31.1), in the order of the file. */
export function adjustedRanges(graph: Graph): ReadonlyMap<ValueId, AdjustedRange> {
  const adjusted = new Map<ValueId, AdjustedRange>();
  for (const id of graph.main.nodes) {
    const { op, domain, inputs, outputs } = graph.node(id);
    const [input] = inputs;
    const [output] = outputs;
    if (domain !== "" || output === null || output === undefined) continue;
    const range = given.get(op);
    if (range !== undefined) adjusted.set(output, { kind: "given", range });
    else if ((op === "Relu" || op === "Clip") && input !== null && input !== undefined) {
      if (readsOf(graph, input) !== 1) continue;
      adjusted.set(input, adjusted.get(output) ?? { kind: "of", value: output });
    }
  }
  return adjusted;
}

function readsOf(graph: Graph, value: ValueId): number {
  let count = 0;
  for (const use of graph.value(value).uses)
    if (use.kind === "node" && graph.node(use.node).body === graph.main.id) count += 1;
  return count;
}
