import { type Dim, dim, type Graph } from "../ir/index.js";

/**
 * The free dims that count samples: each stands alone as the first axis of an input that has others, or as the second of the
 * state of recurrent cells. A file that names
 * it names one; where none is named, every input has its own.
 * @returns names of symbols, in the order of the inputs; those that no file names begin with `?`
 */
export function batchSymbols(graph: Graph): readonly string[] {
  const found = new Set<string>();
  for (const id of graph.main.inputs) {
    const { type, constant } = graph.value(id);
    if (constant !== undefined || type.kind !== "tensor" || type.shape === undefined) continue;
    const [first, second, ...others] = type.shape;
    if (first === undefined || second === undefined) continue;
    const isOfState = isState(graph.value(id).name, [first, second, ...others]);
    const symbol = aloneIn(isOfState ? second : first);
    if (symbol !== undefined && isBatchName(symbol)) found.add(symbol);
  }
  return [...found];
}

/** What recurrent cells take and give is often called so. */
const stateName = /(^|[^a-z])(h|c|hn|cn|h0|c0|hx|cx|h_?in|c_?in|hidden|cell|states?)([^a-z]|$)/i;

/** What an encoder hands to a decoder is called alike, and is [batch, positions, width]. */
const ofTransformer = /hidden_?states|(encoder|last)_?hidden/i;

/** Is it the state of recurrent cells, [layers, batch, cells], whose second axis counts samples? */
export function isState(name: string, dims: readonly unknown[]): boolean {
  const [layers, , cells] = dims;
  const isFixed = dims.length === 3 && typeof layers === "number" && typeof cells === "number";
  return isFixed && stateName.test(name) && !ofTransformer.test(name);
}

/** What a first axis counts that is no batch, by its usual names: all of them make up one sample. */
const others =
  /(?:^|[^a-z])(?:nodes?|edges?|points?|tokens?|seq|sequence|time|timesteps?|steps?|frames?|length|len)(?:$|[^a-z])/;

/** Whether the first axis of that name may count samples. */
export function isBatchName(name: string): boolean {
  const words = name.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return words.includes("batch") || !others.test(words);
}

/** The symbol that a dim is; undefined where it is a number, or computed of symbols. */
function aloneIn(size: Dim): string | undefined {
  const [symbol] = dim.symbolsOf(size);
  return symbol !== undefined && size === dim.symbol(symbol) ? symbol : undefined;
}

/** As a file names it; undefined where none does. */
export function namedSymbol(symbol: string): string | undefined {
  return symbol.startsWith("?") ? undefined : symbol;
}
