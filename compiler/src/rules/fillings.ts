import type { Dim, Graph, ValueId } from "../ir/index.js";
import { operatorOf } from "../ops/index.js";
import { attributesOf, inputOf, isFilledWith } from "./pattern.js";

/** More nodes than exporters put between a number and what reads it. */
const mostNodes = 32;

/**
 * What every element is, whatever the shape: a number, or a size that a shape has. Of a constant, of integers that are known, of
 * what ConstantOfShape makes, and of what moves those.
 */
export function fillingOf(graph: Graph, value: ValueId | undefined): Dim | undefined {
  let left = mostNodes;
  const visit = (id: ValueId | undefined): Dim | undefined => {
    const constant = graph.constant(id);
    if (constant !== undefined) {
      const first = Number(constant.data?.[0]);
      return isFilledWith(constant, first) ? first : undefined;
    }
    const elements = id === undefined ? undefined : graph.value(id).elements;
    if (elements !== undefined && elements.length > 0) return same(elements);
    const node = graph.producer(id);
    left -= 1;
    if (node === undefined || left < 0) return undefined;
    if (node.op === "ConstantOfShape" && node.domain === "") {
      const given = attributesOf(node).get("value");
      if (given === undefined) return 0;
      const number = given.type === "tensor" ? Number(given.value.data?.[0]) : Number.NaN;
      return given.type === "tensor" && isFilledWith(given.value, number) ? number : undefined;
    }
    switch (operatorOf(node)?.traits.dataMovement) {
      case "copies":
      case "reshapes":
      case "permutes":
      case "selects":
        return visit(inputOf(node, 0));
      case "joins":
        return node.op === "Concat"
          ? same(node.inputs.map((input) => visit(input ?? undefined)))
          : undefined;
      case "chooses":
      case "pads":
      case undefined:
        return undefined;
    }
  };
  return visit(value);
}

function same(all: readonly (Dim | undefined)[]): Dim | undefined {
  const [first] = all;
  return all.every((one) => one === first) ? first : undefined;
}

export function isZeros(graph: Graph, value: ValueId | undefined): boolean {
  return fillingOf(graph, value) === 0;
}
