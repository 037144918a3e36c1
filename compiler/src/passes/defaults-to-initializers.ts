import { visibleLine } from "@pare/runtime/format";
import { edit, type Graph, type ValueId } from "../ir/index.js";

/** An input with a default is how old files said "initializer": it becomes one, and the interface shrinks. */
export function defaultsToInitializers(graph: Graph): void {
  const defaulted = defaultedInputs(graph);
  if (defaulted.length === 0) return;
  edit(graph, "defaults-to-initializers", (editor) => editor.removeInputs(defaulted), {
    interface: true,
  });
}

function defaultedInputs(graph: Graph): readonly ValueId[] {
  return graph.main.inputs.filter((id) => graph.value(id).constant !== undefined);
}

/** The first in which an initializer has to be no input, so that one that is both may be meant to be fed (onnx/docs/IR.md). */
const firstWithDefaults = 4n;

const mostNamed = 3;

/** @returns a sentence where callers may feed what `normalize` makes constants of; else none */
export function lostDefaults(graph: Graph): readonly string[] {
  if (graph.header.irVersion < firstWithDefaults) return [];
  const names = defaultedInputs(graph).map((id) => graph.value(id).name);
  if (names.length === 0) return [];
  const listed = [...names.slice(0, mostNamed), ...(names.length > mostNamed ? ["…"] : [])];
  const are = names.length === 1 ? "1 input has a default" : `${names.length} inputs have defaults`;
  return [
    visibleLine(
      `${are} (${listed.join(", ")}): what is written has them as constants, which nobody can feed.`,
    ),
  ];
}
