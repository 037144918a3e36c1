import { edit, type Graph, type Node } from "../ir/index.js";
import { keyOf } from "../ops/index.js";

/**
 * ZipMap makes a map of classes to scores for every sample. No engine in JavaScript gives maps back, and a run that asks
 * for them fails: the outputs are the scores themselves then, under their names, a column a class.
 */
export function mapsToTensors(graph: Graph): void {
  const nodes = [...graph.main.nodes]
    .map((id) => graph.node(id))
    .filter((node) => isGivenBack(graph, node));
  if (nodes.length === 0) return;
  edit(
    graph,
    "maps-to-tensors",
    (editor) => {
      for (const { inputs, outputs } of nodes) {
        const [[scores = null], [maps = null]] = [inputs, outputs];
        if (scores !== null && maps !== null)
          editor.replace(maps, scores, "no engine in JavaScript gives maps back");
      }
    },
    { interface: true },
  );
}

function isGivenBack(graph: Graph, node: Node): boolean {
  if (keyOf(node) !== "ai.onnx.ml::ZipMap") return false;
  const [maps] = node.outputs;
  return maps !== undefined && maps !== null && graph.isOutput(maps);
}
