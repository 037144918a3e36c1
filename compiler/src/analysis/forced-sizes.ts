import { dim, edit, type Graph, substituted, shapeOf } from "../ir/index.js";
import { attributeReader, inferAll, operatorOf } from "../ops/index.js";

/**
 * Gives free dims that can have but one size that size: what is summed over is as long as the weights say. Exporters that are
 * told that the first axis is a batch free it where a sample has no other, too.
 */
export function bindForcedSizes(graph: Graph): void {
  const sizes = forcedSizes(graph);
  if (sizes.size === 0) return;
  edit(
    graph,
    "forced-sizes",
    (editor) => {
      for (const { id, type, constant, elements } of graph.allValues()) {
        if (constant !== undefined) continue;
        editor.setType(
          id,
          substituted(type, sizes),
          graph.producer(id) === undefined ? elements : undefined,
        );
      }
    },
    { interface: true },
  );
  inferAll(graph);
}

/** Symbols of a single dim of all inputs': some exporters call whatever is free the same, and engines do not mind. */
function namedOnce(graph: Graph): ReadonlySet<string> {
  const [seen, again] = [new Set<string>(), new Set<string>()];
  for (const size of graph.main.inputs.flatMap((id) => shapeOf(graph, id) ?? []))
    for (const symbol of dim.symbolsOf(size)) (seen.has(symbol) ? again : seen).add(symbol);
  return new Set([...seen].filter((symbol) => !again.has(symbol)));
}

/** By symbol. */
function forcedSizes(graph: Graph): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  const once = namedOnce(graph);
  for (const node of graph.order()) {
    const linear = operatorOf(node)?.traits.linear;
    if (linear === undefined) continue;
    const [x, w] = [linear.activation, linear.weight].map((at) => node.inputs[at]);
    const weights = graph.constant(w)?.dims;
    if (x === null || x === undefined || weights === undefined) continue;
    const attributes = attributeReader(node.attributes);
    if (linear.unlike?.(attributes) !== undefined) continue;
    const size = shapeOf(graph, x)?.at(linear.inputChannels);
    const [symbol] = size === undefined || typeof size === "number" ? [] : dim.symbolsOf(size);
    if (symbol === undefined || size !== dim.symbol(symbol) || !once.has(symbol)) continue;
    const turned = attributes.int("transB", 0) !== 0;
    const depth = {
      convolution: (weights[1] ?? 0) * attributes.int("group", 1),
      "transposed-convolution": weights[0],
      matrix: weights.length === 1 ? weights[0] : weights.at(turned ? -1 : -2),
    }[linear.kind];
    if (depth !== undefined && depth > 0 && !sizes.has(symbol)) sizes.set(symbol, depth);
  }
  return sizes;
}
