import { type Dim, dim, edit, type Graph, isStatic, type ValueId, shapeOf } from "../ir/index.js";
import { inferAll, operatorOf } from "../ops/index.js";

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
  const known = new Map<ValueId, readonly number[] | null>();
  let inferred: Graph | undefined;
  const sizesOf = (id: ValueId): readonly number[] | null => {
    const said = staticSizes(graph, id, bindings);
    if (said !== null || size === null) return said;
    // Sums of sizes that are called otherwise, which with numbers are one.
    inferred ??= boundTo(graph, bindings);
    return inferred.hasValue(id) ? staticSizes(inferred, id, bindings) : null;
  };
  return (id) => {
    const before = known.get(id);
    const found = before === undefined ? sizesOf(id) : before;
    known.set(id, found);
    return found;
  };
}

function staticSizes(
  graph: Graph,
  id: ValueId,
  bindings: ReadonlyMap<string, Dim>,
): readonly number[] | null {
  const sizes = shapeOf(graph, id)?.map((one) => dim.substitute(one, bindings));
  return sizes !== undefined && isStatic(sizes) ? sizes : null;
}

/** A copy whose inputs have numbers for sizes, and what follows from them. */
function boundTo(graph: Graph, bindings: ReadonlyMap<string, Dim>): Graph {
  const fork = graph.fork();
  edit(
    fork,
    "nominal-sizes",
    (editor) => {
      for (const input of fork.main.inputs) {
        const { type } = fork.value(input);
        const shape = shapeOf(fork, input)?.map((one) => dim.substitute(one, bindings));
        if (type.kind === "tensor" && shape !== undefined)
          editor.setType(input, { ...type, shape });
      }
    },
    { interface: true },
  );
  inferAll(fork);
  return fork;
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
