import { edit, type Graph } from "../ir/index.js";
import { isToolKey } from "../onnx/index.js";

/**
 * Lets go of what exporters write about single nodes, values and tensors (doc_string, metadata_props): stack traces and
 * module names, up to half of a file. What the model says of itself stays (its author, its licence, its classes), but for
 * keys that begin with `pkg.`, in which tools note things for themselves; and so does the documentation of its inputs
 * and outputs.
 */
export function dropDescriptions(graph: Graph): void {
  const { described, metadata } = graph.header;
  const kept = metadata.filter(([key]) => !isToolKey(key));
  if (!described && kept.length === metadata.length) return;
  edit(graph, "drop-descriptions", (editor) =>
    editor.setHeader({ described: false, metadata: kept }),
  );
}
