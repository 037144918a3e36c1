import type { Graph, ValueId } from "../ir/index.js";
import { operatorOf } from "../ops/index.js";
import { attributesOf, inputOf, isFilledWith } from "./pattern.js";

/** More nodes than exporters put between a zero and what reads it. */
const mostNodes = 32;

/** Is every element 0, whatever the shape? Of a constant, of what ConstantOfShape makes, and of what moves those. */
export function isZeros(graph: Graph, value: ValueId | undefined): boolean {
  let left = mostNodes;
  const visit = (id: ValueId | undefined): boolean => {
    const constant = graph.constant(id);
    if (constant !== undefined) return isFilledWith(constant, 0);
    const node = graph.producer(id);
    left -= 1;
    if (node === undefined || left < 0) return false;
    if (node.op === "ConstantOfShape" && node.domain === "") {
      const given = attributesOf(node).get("value");
      return given === undefined || (given.type === "tensor" && isFilledWith(given.value, 0));
    }
    switch (operatorOf(node)?.traits.dataMovement) {
      case "copies":
      case "reshapes":
      case "permutes":
      case "selects":
        return visit(inputOf(node, 0));
      case "joins":
        return node.op === "Concat" && node.inputs.every((input) => input !== null && visit(input));
      case "chooses":
      case "pads":
      case undefined:
        return false;
    }
  };
  return visit(value);
}
