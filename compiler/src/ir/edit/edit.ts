import { PareError } from "@pare/runtime/format";
import { Graph, type Infer, tablesOf } from "../graph.js";
import type { ModelHeader } from "../model.js";
import { Editor } from "./editor.js";
import type { EditOptions } from "./transaction.js";

/**
 * One transaction: all of `change`, or nothing when it throws. Afterwards types of all that depends on it are
 * inferred again, and what lost its last use is gone. Transactions do not nest: what failed inside could not be undone
 * by itself.
 * @param rule who changes the graph, for the journal and for messages
 */
export function edit<Result>(
  graph: Graph,
  rule: string,
  change: (editor: Editor) => Result,
  options: EditOptions = {},
): Result {
  const tables = tablesOf(graph);
  if (tables.editing)
    throw new PareError("INTERNAL", `${rule} edits a graph that is being edited.`, { where: rule });
  const editor = new Editor(graph, tables, rule, options);
  tables.editing = true;
  try {
    const result = change(editor);
    editor.commit();
    return result;
  } catch (error) {
    editor.rollback();
    throw error;
  } finally {
    tables.editing = false;
  }
}

/** A new graph as a file or a text has it: what was built counts as no change. */
export function build(
  header: ModelHeader,
  infer: Infer,
  make: (editor: Editor, graph: Graph) => void,
): Graph {
  const graph = new Graph(header, infer);
  edit(graph, "build", (editor) => make(editor, graph), { interface: true });
  tablesOf(graph).changes = 0;
  graph.journal.length = 0;
  return graph;
}
