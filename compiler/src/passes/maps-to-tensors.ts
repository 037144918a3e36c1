import { visibleLine } from "@pare/runtime/format";
import { edit, type Graph, type Node } from "../ir/index.js";
import { keyOf } from "../ops/index.js";

/** Of more classes only so many are named. */
const mostNamed = 10;

/**
 * ZipMap makes a map of classes to scores for every sample. No engine in JavaScript gives maps back, and a run that asks
 * for them fails: the outputs are the scores themselves then, under their names, a column a class.
 * @returns a sentence for each such output
 */
export function mapsToTensors(graph: Graph): readonly string[] {
  const nodes = [...graph.main.nodes]
    .map((id) => graph.node(id))
    .filter((node) => isGivenBack(graph, node));
  if (nodes.length === 0) return [];
  const said: string[] = [];
  edit(
    graph,
    "maps-to-tensors",
    (editor) => {
      for (const node of nodes) {
        const [[scores = null], [maps = null]] = [node.inputs, node.outputs];
        if (scores === null || maps === null) continue;
        const { name } = graph.value(maps);
        said.push(
          visibleLine(
            `${name} is a map for every sample, which engines in JavaScript do not give: it is written as its scores, a column a class (${classesOf(node)}).`,
          ),
        );
        editor.replace(maps, scores, "no engine in JavaScript gives maps back");
      }
    },
    { interface: true },
  );
  return said;
}

function isGivenBack(graph: Graph, node: Node): boolean {
  if (keyOf(node) !== "ai.onnx.ml::ZipMap") return false;
  const [maps] = node.outputs;
  return maps !== undefined && maps !== null && graph.isOutput(maps);
}

function classesOf({ attributes }: Node): string {
  const [numbers, texts] = ["classlabels_int64s", "classlabels_strings"].map((name) =>
    attributes.get(name),
  );
  const names =
    texts?.type === "strings"
      ? texts.value.filter((text) => typeof text === "string")
      : numbers?.type === "ints"
        ? numbers.value.map(String)
        : [];
  const more = names.length > mostNamed ? ", …" : "";
  return `${names.slice(0, mostNamed).join(", ")}${more}`;
}
