import { type Dim, dim, type Graph, isStatic, type ValueId, shapeOf } from "../ir/index.js";
import { operatorOf } from "../ops/index.js";

import { batchOfOne, countMacs } from "./macs.js";

/**
 * A size that a model leaves free counts as this, a batch as one: what is to be kept is a share, and that depends little
 * on how large an image is.
 */
const usual = 64;
/** More is not tried: it is above a second of sound at 44.1 kHz. */
const most = 2 ** 16;

/**
 * What every size that a model leaves free counts as: the usual number, or the least of its doubles with which no size that is
 * computed of it is negative, and nothing that is multiplied is empty, as behind windows longer than what they look at. Null
 * where there is none.
 */
export function nominalSize(graph: Graph): number | null {
  const least = leastSizes(graph);
  for (let size = usual; size <= most; size *= 2) {
    const bindings = bindingsOf(graph, size);
    const fits = [...least].every(([free, smallest]) => {
      const bound = dim.substitute(free, bindings);
      return typeof bound !== "number" || bound >= smallest;
    });
    if (fits) return size;
  }
  return null;
}

/** The sizes of values, with a number for whatever the inputs leave free; null where there are others that are free. */
export function nominalSizes(graph: Graph): (id: ValueId) => readonly number[] | null {
  const size = nominalSize(graph);
  const bindings = size === null ? batchOfOne(graph) : bindingsOf(graph, size);
  const bound = new Map<ValueId, readonly number[] | null>();
  return (id) => {
    const known = bound.get(id);
    if (known !== undefined) return known;
    const sizes = shapeOf(graph, id)?.map((one) => dim.substitute(one, bindings));
    const found = sizes !== undefined && isStatic(sizes) ? sizes : null;
    bound.set(id, found);
    return found;
  };
}

/** As `countMacs`, with a number for whatever the inputs leave free. */
export function nominalMacs(graph: Graph): number | null {
  return countMacs(graph, graph.main, nominalSizes(graph));
}

function bindingsOf(graph: Graph, size: number): ReadonlyMap<string, Dim> {
  const bindings = new Map<string, Dim>();
  for (const free of graph.main.inputs.flatMap((id) => shapeOf(graph, id) ?? []))
    for (const name of dim.symbolsOf(free)) bindings.set(name, size);
  for (const [name, one] of batchOfOne(graph)) bindings.set(name, one);
  return bindings;
}

/** Of each size that is no number, how large it must be at least. */
function leastSizes(graph: Graph): ReadonlyMap<Dim, number> {
  const least = new Map<Dim, number>();
  const demand = (id: ValueId | null, smallest: number): void => {
    for (const size of shapeOf(graph, id) ?? [])
      if (typeof size !== "number") least.set(size, Math.max(smallest, least.get(size) ?? 0));
  };
  for (const { id } of graph.allValues()) demand(id, 0);
  for (const node of graph.allNodes())
    if (operatorOf(node)?.traits.macs !== undefined)
      for (const id of [...node.inputs, ...node.outputs]) demand(id, 1);
  return least;
}
