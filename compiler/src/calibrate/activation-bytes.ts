import { dtypeBytes, type Tensors } from "@pare/runtime/format";
import { dim, type Dim, type Graph, product, type ValueId } from "../ir/index.js";

/** Stands for a dim that neither shapes nor the sample tell. */
const guessedDim = 64;

/** How much memory values take for a sample, as far as its shapes and those of the graph tell. */
export function activationBytes(graph: Graph, sample: Tensors): (value: ValueId) => number {
  const bindings = new Map<string, Dim>();
  for (const input of graph.main.inputs) {
    const { name, type } = graph.value(input);
    const shape = type.kind === "tensor" ? (type.shape ?? []) : [];
    for (const [axis, size] of shape.entries()) {
      const given = sample[name]?.dims[axis];
      const [symbol] = dim.symbolsOf(size);
      if (given !== undefined && symbol !== undefined && size === dim.symbol(symbol))
        bindings.set(symbol, given);
    }
  }
  return (value) => {
    const { type } = graph.value(value);
    if (type.kind !== "tensor" || type.shape === undefined) return guessedDim ** 2;
    const sizes = type.shape.map((size) => dim.substitute(size, bindings));
    const count = product(sizes.map((size) => (typeof size === "number" ? size : guessedDim)));
    return typeof count === "number" ? dtypeBytes("float32", count) : Infinity;
  };
}
