import { type Dim, dim, type Graph, isStatic, type ValueId } from "../ir/index.js";
import { shapeOf } from "./homogeneous.js";
import { batchOfOne, countMacs } from "./macs.js";

/**
 * A size that a model leaves free counts as this, a batch as one: what is to be kept is a share, and that depends little
 * on how large an image is.
 */
export const nominalSize = 64;

/** The sizes of values, with a number for whatever the inputs leave free; null where there are others that are free. */
export function nominalSizes(graph: Graph): (id: ValueId) => readonly number[] | null {
  const bindings = new Map<string, Dim>();
  for (const size of graph.main.inputs.flatMap((id) => shapeOf(graph, id) ?? []))
    for (const name of dim.symbolsOf(size)) bindings.set(name, nominalSize);
  for (const [name, one] of batchOfOne(graph)) bindings.set(name, one);
  const bound = new Map<ValueId, readonly number[] | null>();
  return (id) => {
    const known = bound.get(id);
    if (known !== undefined) return known;
    const sizes = shapeOf(graph, id)?.map((size) => dim.substitute(size, bindings));
    const found = sizes !== undefined && isStatic(sizes) ? sizes : null;
    bound.set(id, found);
    return found;
  };
}

/** As `countMacs`, with a number for whatever the inputs leave free. */
export function nominalMacs(graph: Graph): number | null {
  return countMacs(graph, graph.main, nominalSizes(graph));
}
