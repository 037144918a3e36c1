import { attribute, type Editor, edit, type Graph, type Node } from "../../ir/index.js";
import { attributeReader } from "../../ops/index.js";
import { parameterRules } from "../../rules/index.js";
import { runRules } from "../../rules/run-rules.js";
import { isDropout } from "../../train/dropouts.js";
import { dropUnused } from "../drop-unused.js";
import { bringToFloat32 } from "../normal-form.js";

/**
 * As `bringToFloat32`, for a graph whose constants are to be trained. What exporters compute of constants alone is one:
 * a copy of one is a parameter of its own. And what was exported in training mode is as in
 * inference: training has its own norms and dropouts, and what is written is for inference.
 */
export async function bringToTrainable(graph: Graph): Promise<void> {
  await bringToFloat32(graph);
  await runRules(graph, parameterRules, {});
  edit(graph, "trainable", (editor) => {
    for (const node of graph.allNodes()) {
      if (isDropout(node)) editor.trimInputs(node.id, 2);
      else if (isNormByBatch(graph, node)) normByRunning(editor, node);
    }
  });
  dropUnused(graph);
}

/** One whose running statistics leave the model is meant to be so. */
function isNormByBatch(graph: Graph, { op, domain, attributes, outputs }: Node): boolean {
  if (op !== "BatchNormalization" || domain !== "") return false;
  const isRead = outputs.slice(1).some((id) => id !== null && graph.value(id).uses.length > 0);
  return attributeReader(attributes).int("training_mode", 0) !== 0 && !isRead;
}

function normByRunning(editor: Editor, node: Node): void {
  editor.setAttribute(node.id, "training_mode", attribute.int(0));
  for (let index = node.outputs.length - 1; index > 0; index -= 1)
    editor.dropOutput(node.id, index);
}
