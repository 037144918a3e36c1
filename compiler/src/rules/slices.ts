import { type Graph, type Node, Tensor, shapeOf } from "../ir/index.js";
import { normalAxis } from "../ops/families/indexing.js";
import { inputOf, numbersOf, outputOf, shapesAgree } from "./pattern.js";
import type { Rule } from "./rule.js";

/** What a Slice takes along each of some axes. */
interface Cut {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** Each reader then holds the first one's numbers too: beyond so many, they take more of a file than a node. */
const mostReaders = 8;

/**
 * Slice(Slice(x, along some axes), along others) = Slice(x, along all of them): what is taken along one axis depends on
 * no other. Where all that read the first one are such Slices, it goes.
 */
export const mergeSlices: Rule = {
  name: "merge-slices",
  exactness: "bitwise",
  ops: ["Slice"],
  match(graph, node) {
    const [source, between] = [inputOf(node, 0), outputOf(node)];
    const first = cutsOf(graph, node);
    if (source === undefined || between === undefined || first === undefined) return undefined;
    const readers = graph.consumers(between);
    if (readers.length === 0 || readers.length > mostReaders || graph.isOutput(between))
      return undefined;
    const cut = new Set(first.map(({ axis }) => axis));
    const merged: { readonly reader: Node; readonly cuts: readonly Cut[] }[] = [];
    for (const reader of readers) {
      const isSlice = reader.op === "Slice" && reader.domain === "";
      const cuts = isSlice ? cutsOf(graph, reader) : undefined;
      if (cuts === undefined || cuts.some(({ axis }) => cut.has(axis))) return undefined;
      // One that takes everything is about to be dropped.
      if (cuts.every(({ step }) => step === 1) && shapesAgree(graph, between, outputOf(reader)))
        return undefined;
      merged.push({ reader, cuts: [...first, ...cuts].sort((a, b) => a.axis - b.axis) });
    }
    const because = "merged with the Slice before it";
    return {
      because,
      rewrite(editor) {
        for (const { reader, cuts } of merged) {
          const body = graph.body(reader.body);
          const inputs = (["start", "end", "axis", "step"] as const).map((part) =>
            editor.constant(part, Tensor.int64(cuts.map((each) => each[part])), body),
          );
          const output = outputOf(reader);
          if (output === undefined) continue;
          editor.replace(output, editor.add1("Slice", [source, ...inputs], {}, { body }), because);
        }
      },
    };
  },
};

function cutsOf(graph: Graph, slice: Node): readonly Cut[] | undefined {
  const rank = shapeOf(graph, inputOf(slice, 0))?.length;
  const [starts, ends] = [numbersOf(graph, inputOf(slice, 1)), numbersOf(graph, inputOf(slice, 2))];
  if (rank === undefined || starts === undefined || ends === undefined) return undefined;
  const axes =
    inputOf(slice, 3) === undefined
      ? starts.map((_, at) => at)
      : numbersOf(graph, inputOf(slice, 3));
  const steps =
    inputOf(slice, 4) === undefined ? starts.map(() => 1) : numbersOf(graph, inputOf(slice, 4));
  if (axes === undefined || steps === undefined) return undefined;
  const cuts: Cut[] = [];
  for (const [at, start] of starts.entries()) {
    const [end, axis, step] = [ends[at], axes[at], steps[at]];
    if (end === undefined || axis === undefined || step === undefined) return undefined;
    cuts.push({ axis: normalAxis(axis, rank), start, end, step });
  }
  return cuts;
}
