import type { Graph, Node, ValueId } from "../../ir/index.js";
import { attributeReader, keyOf } from "../../ops/index.js";
import { dtypeOf } from "./node-facts.js";

/** An input of text, as places in a list of words: whoever loads the module looks them up, and −1 is any other. */
export interface TextInput {
  readonly places: ValueId;
  readonly labels: readonly string[];
  /** Not lowered: it is the list. */
  readonly node: Node;
}

/** What `sayTexts` makes of an input; undefined for any other. */
export function textInput(graph: Graph, id: ValueId): TextInput | undefined {
  if (dtypeOf(graph, id) !== "string") return undefined;
  const [node, ...others] = graph.consumers(id);
  const [places] = node?.outputs ?? [];
  if (node === undefined || others.length > 0 || keyOf(node) !== "ai.onnx.ml::LabelEncoder" || !places) return undefined; // prettier-ignore
  const attributes = attributeReader(node.attributes);
  const keys = attributes.get("keys_strings");
  const labels =
    keys?.type === "strings" ? keys.value.filter((key) => typeof key === "string") : [];
  const isList =
    new Set(labels).size === labels.length &&
    attributes.ints("values_int64s")?.join() === [...labels.keys()].join() &&
    attributes.int("default_int64", -1) === -1;
  return isList && labels.length > 0 ? { places, labels, node } : undefined;
}
