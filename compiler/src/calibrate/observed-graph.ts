import type { Reduction } from "@pare/runtime/format";
import { attribute, edit, type Editor, type Graph, Tensor, type ValueId } from "../ir/index.js";

const keepNoDims = { keepdims: attribute.int(0) };

/** What is to be seen of activations, each a float32 value of the main graph. */
export interface Watched {
  /** The smallest and the largest element. */
  readonly extremes: readonly ValueId[];
  /** How elements are distributed. */
  readonly histograms: readonly ValueId[];
  /** The mean of each channel along an axis: 1, or −1 for the last. */
  readonly channelMeans: readonly { readonly value: ValueId; readonly axis: number }[];
}

/** Names of outputs of an observed graph. */
export const outputNames = {
  min: (value: ValueId) => `observed_min_${value}`,
  max: (value: ValueId) => `observed_max_${value}`,
  sums: (value: ValueId, axis: number) => `observed_sums_${value}_${axis}`,
  size: (value: ValueId) => `observed_size_${value}`,
  all: (value: ValueId) => `observed_all_${value}`,
};

/**
 * A copy of the graph whose outputs are what is watched. Extremes and sums are operators in it, so that the engine works
 * them out, on all its threads, and large activations never leave it. Only where a distribution is asked for does an
 * activation become an output.
 */
export function observedGraph(
  graph: Graph,
  { extremes, histograms, channelMeans }: Watched,
): { readonly graph: Graph; readonly reductions: readonly Reduction[] } {
  const copy = graph.fork();
  const reductions: Reduction[] = [];
  const give = (editor: Editor, value: ValueId, output: string, by: Reduction["by"]): void => {
    editor.rename(value, output);
    editor.addOutput(value);
    reductions.push({ output, by });
  };
  edit(
    copy,
    "calibrate",
    (editor) => {
      for (let index = copy.main.outputs.length - 1; index >= 0; index -= 1)
        editor.removeOutput(index);
      const constants = new Map<string, ValueId>();
      const integers = (name: string, numbers: readonly number[]): ValueId => {
        const known = constants.get(name) ?? editor.constant(name, Tensor.int64(numbers));
        constants.set(name, known);
        return known;
      };
      for (const value of latestFirst(graph, extremes)) {
        for (const [op, output, by] of [
          ["ReduceMin", outputNames.min(value), "min"],
          ["ReduceMax", outputNames.max(value), "max"],
        ] as const)
          give(editor, editor.add1(op, [value], keepNoDims), output, by);
      }
      const sized = new Set<ValueId>();
      for (const value of latestFirst(graph, new Set(channelMeans.map((one) => one.value)))) {
        for (const { axis } of channelMeans.filter((one) => one.value === value)) {
          // Three dims with the channels in the middle, or two with the channels last, whatever the rank.
          const [flat, others] =
            axis === -1
              ? [editor.add1("Flatten", [value], { axis: attribute.int(-1) }), [0]]
              : [editor.add1("Reshape", [value, integers("observed_rows", [0, 0, -1])]), [0, 2]];
          const axes = integers(`observed_axes_${axis}`, others);
          const sums = editor.add1("ReduceSum", [flat, axes], keepNoDims);
          give(editor, sums, outputNames.sums(value, axis), "sum");
        }
        if (!sized.has(value))
          give(editor, editor.add1("Size", [value]), outputNames.size(value), "sum");
        sized.add(value);
      }
      for (const value of histograms) {
        const isInput = copy.main.inputs.includes(value);
        const given = isInput ? editor.add1("Identity", [value]) : value;
        give(editor, given, outputNames.all(value), "histogram");
      }
    },
    { interface: true },
  );
  return { graph: copy, reductions };
}

/**
 * Latest first. onnxruntime runs the last of the nodes that nobody reads first, with all that it needs: so each activation
 * is reduced as soon as it is there, while it is in the processor's caches, and its memory is free for the next.
 */
function latestFirst(graph: Graph, values: Iterable<ValueId>): readonly ValueId[] {
  const places = new Map(graph.order().map(({ id }, place) => [id, place]));
  const placeOf = (value: ValueId): number => {
    const { producer } = graph.value(value);
    return producer === null ? -1 : (places.get(producer) ?? -1);
  };
  return [...values].sort((a, b) => placeOf(b) - placeOf(a));
}
