import { type Graph, type Node, type ValueId, shapeOf } from "../../ir/index.js";
import { attributeReader } from "../../ops/index.js";
import { dtypeOf } from "./node-facts.js";

/** An output of text, as integers and what each of them stands for: whoever loads the module looks them up. */
export interface TextOutput {
  readonly index: ValueId;
  readonly labels: readonly string[];
  /** Not lowered: it is the table. */
  readonly node: Node;
}

/** Nodes between a table's place and what chooses it. */
const mostMoves = 8;

/** What a classifier whose classes have names ends in; undefined for any other output, and where a place may be outside of the table. */
export function textOutput(graph: Graph, id: ValueId): TextOutput | undefined {
  const node = graph.producer(id);
  const [table, index] = node?.inputs ?? [];
  if (node === undefined || node.op !== "Gather" || node.domain !== "" || !table || !index)
    return undefined;
  const { dtype, dims, data } = graph.constant(table) ?? {};
  const isRow = dims?.length === 1 && attributeReader(node.attributes).int("axis", 0) === 0;
  if (dtype !== "string" || !isRow || data === undefined) return undefined;
  const labels = Array.from(data, String);
  const isLast = graph.value(id).uses.length === 1;
  return isLast && isBelow(graph, index, labels.length) ? { index, labels, node } : undefined;
}

/** Are integers places among so many, whatever they were computed of? */
function isBelow(graph: Graph, start: ValueId, count: number): boolean {
  let id: ValueId | null | undefined = start;
  for (let moves = 0; moves < mostMoves; moves += 1) {
    if (!id) return false;
    const dtype = dtypeOf(graph, id);
    if (dtype === "bool") return count >= 2;
    // A smaller one may have wrapped around.
    if (dtype !== "int64" && dtype !== "int32") return false;
    const node: Node | undefined = graph.producer(id);
    if (node === undefined || node.domain !== "") return false;
    const [from] = node.inputs;
    switch (node.op) {
      case "ArgMax":
      case "ArgMin": {
        const shape = shapeOf(graph, from ?? start);
        const axis = attributeReader(node.attributes).int("axis", 0);
        const size = shape?.at(axis);
        return typeof size === "number" && size <= count;
      }
      case "Cast":
      case "Reshape":
      case "Squeeze":
      case "Unsqueeze":
      case "Flatten":
      case "Identity":
        id = from;
        break;
      default:
        return false;
    }
  }
  return false;
}
