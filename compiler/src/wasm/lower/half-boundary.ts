import type { Graph, Node, ValueId } from "../../ir/index.js";
import { attributeReader } from "../../ops/index.js";
import { codeOfDtype } from "../../ir/index.js";
import { dtypeOf } from "./node-facts.js";

/** What a model takes or gives in float16, and is computed with in floats. */
export interface HalfValue {
  readonly floats: ValueId;
  /** Not lowered: whoever reads or writes the bits converts them. */
  readonly node: Node;
}

/** An input that is cast to floats and read by nothing else; undefined for any other. */
export function halfInput(graph: Graph, id: ValueId): HalfValue | undefined {
  if (dtypeOf(graph, id) !== "float16" || graph.value(id).uses.length !== 1) return undefined;
  const [node] = graph.consumers(id);
  const [floats] = node?.outputs ?? [];
  return node !== undefined && isCastTo(node, "float32") && floats ? { floats, node } : undefined;
}

/** An output that floats are cast to; undefined for any other, and where more is made of it. */
export function halfOutput(graph: Graph, id: ValueId): HalfValue | undefined {
  const node = graph.producer(id);
  const [floats] = node?.inputs ?? [];
  const isLast = graph.value(id).uses.length === 1;
  return node !== undefined &&
    isLast &&
    floats &&
    isCastTo(node, "float16") &&
    dtypeOf(graph, floats) === "float32"
    ? { floats, node }
    : undefined;
}

function isCastTo(node: Node, dtype: "float16" | "float32"): boolean {
  const to = attributeReader(node.attributes).int("to");
  return node.op === "Cast" && node.domain === "" && to === codeOfDtype(dtype);
}
