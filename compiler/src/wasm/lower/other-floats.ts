import type { Graph, Node, ValueId } from "../../ir/index.js";
import { attributeReader } from "../../ops/index.js";
import { codeOfDtype } from "../../ir/index.js";
import { dtypeOf } from "./node-facts.js";

/** Floats that a model takes or gives, and that a module converts where they enter and leave. */
export type OtherFloat = "float16" | "float64";

/** What a model takes or gives in other floats, and is computed with in float32. */
export interface OtherFloats {
  readonly dtype: OtherFloat;
  readonly floats: ValueId;
  /** Not lowered: whoever reads or writes the elements converts them. */
  readonly node: Node;
}

/** An input that is cast to float32 and read by nothing else; undefined for any other. */
export function otherFloatsInput(graph: Graph, id: ValueId): OtherFloats | undefined {
  const dtype = otherFloatOf(graph, id);
  if (dtype === undefined || graph.value(id).uses.length !== 1) return undefined;
  const [node] = graph.consumers(id);
  const [floats] = node?.outputs ?? [];
  return node !== undefined && isCastTo(node, "float32") && floats
    ? { dtype, floats, node }
    : undefined;
}

/** An output that float32 is cast to; undefined for any other, and where more is made of it. */
export function otherFloatsOutput(graph: Graph, id: ValueId): OtherFloats | undefined {
  const dtype = otherFloatOf(graph, id);
  const node = graph.producer(id);
  const [floats] = node?.inputs ?? [];
  const isLast = graph.value(id).uses.length === 1;
  return dtype !== undefined &&
    node !== undefined &&
    isLast &&
    floats &&
    isCastTo(node, dtype) &&
    dtypeOf(graph, floats) === "float32"
    ? { dtype, floats, node }
    : undefined;
}

function otherFloatOf(graph: Graph, id: ValueId): OtherFloat | undefined {
  const dtype = dtypeOf(graph, id);
  return dtype === "float16" || dtype === "float64" ? dtype : undefined;
}

function isCastTo(node: Node, dtype: OtherFloat | "float32"): boolean {
  const to = attributeReader(node.attributes).int("to");
  return node.op === "Cast" && node.domain === "" && to === codeOfDtype(dtype);
}
