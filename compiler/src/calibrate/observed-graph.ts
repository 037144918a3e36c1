import { type Observation, type Reduced, type Reduction } from "@pare/runtime/format";
import { attribute, edit, type Editor, type Graph, Tensor, type ValueId } from "../ir/index.js";
import type { Range } from "../quantize/scale.js";

/** What is to be seen of activations, each a float32 value of the main graph. */
export interface Watched {
  /** The smallest and the largest element. */
  readonly extremes: readonly ValueId[];
  /** How elements are distributed. */
  readonly histograms: readonly ValueId[];
  /** The sum of each channel along an axis: 1, or −1 for the last. */
  readonly channelSums: readonly { readonly value: ValueId; readonly axis: number }[];
}

/** What was seen over all samples. */
export interface Sighting {
  readonly extremes: ReadonlyMap<ValueId, Range>;
  readonly histograms: ReadonlyMap<ValueId, Observation>;
  readonly channelSums: readonly {
    readonly value: ValueId;
    readonly axis: number;
    readonly sums: Float64Array;
  }[];
  /** Elements of each value whose channels were summed. */
  readonly sizes: ReadonlyMap<ValueId, number>;
}

export interface ObservedGraph {
  readonly graph: Graph;
  readonly reductions: readonly Reduction[];
  /** @param reduced what came of the reductions, in order */
  read(reduced: readonly Reduced[]): Sighting;
}

/** Activations up to so many bytes together may wait for each other to become one output. */
const packBytes = 2 ** 20;

/**
 * A copy of the graph whose outputs are what is watched. Extremes and sums are operators in it, so that the engine works
 * them out, on all its threads, and large activations never leave it. Only where a distribution is asked for does an
 * activation become an output.
 *
 * What looks at the latest activation comes first in the file. onnxruntime runs the last of the nodes that nobody reads
 * first, with all that it needs: so each activation is reduced as soon as it is there, while it is in the processor's
 * caches, and its memory is free for the next.
 * @param bytesOf what a value takes
 */
export function observedGraph(
  graph: Graph,
  { extremes, histograms, channelSums }: Watched,
  bytesOf: (value: ValueId) => number,
): ObservedGraph {
  const copy = graph.fork();
  const placeOf = placesIn(graph);
  const packs = packed(graph, latestFirst(extremes, placeOf), bytesOf);
  const reductions: Reduction[] = [];
  /** Of each reduction, what its numbers say. */
  const readers: ((reduced: Reduced, into: MutableSighting) => unknown)[] = [];
  edit(
    copy,
    "calibrate",
    (editor) => {
      for (let index = copy.main.outputs.length - 1; index >= 0; index -= 1)
        editor.removeOutput(index);
      const give = (value: ValueId, by: Reduction["by"], read: (typeof readers)[number]): void => {
        const output = `observed_${reductions.length}`;
        editor.rename(value, output);
        editor.addOutput(value);
        reductions.push({ output, by });
        readers.push(read);
      };
      const giveEnds = (pack: readonly ValueId[], op: string, end: "min" | "max"): void => {
        const [first, ...others] = pack.map((value) => editor.add1(op, [value]));
        if (first === undefined) return;
        const ends =
          others.length === 0
            ? first
            : editor.add1("Concat", [first, ...others], { axis: attribute.int(0) });
        give(ends, end, (reduced, { extremes: ranges }) => {
          const numbers = numbersOf(reduced);
          for (const [index, value] of pack.entries())
            ranges.set(value, {
              ...(ranges.get(value) ?? nothing),
              [end]: numbers[index] ?? nothing[end],
            });
        });
      };
      const sumsOf = channelAdder(editor);
      const additions = [
        ...packs.map((pack) => ({
          place: Math.max(...pack.map(placeOf)),
          add: () => {
            giveEnds(pack, "ReduceMin", "min");
            giveEnds(pack, "ReduceMax", "max");
          },
        })),
        ...channelSums.map(({ value, axis }) => ({
          place: placeOf(value),
          add: () => {
            give(sumsOf(value, axis), "sum", (reduced, into) =>
              into.channelSums.push({ value, axis, sums: numbersOf(reduced) }),
            );
            give(editor.add1("Size", [value]), "sum", (reduced, into) =>
              into.sizes.set(value, numbersOf(reduced)[0] ?? 0),
            );
          },
        })),
      ];
      for (const addition of additions.sort((a, b) => b.place - a.place)) addition.add();
      for (const value of histograms) {
        const isInput = copy.main.inputs.includes(value);
        const given = isInput ? editor.add1("Identity", [value]) : value;
        give(given, "histogram", (reduced, into) => {
          if (reduced.by === "histogram") into.histograms.set(value, reduced.observation);
        });
      }
    },
    { interface: true },
  );
  return {
    graph: copy,
    reductions,
    read(reduced) {
      const sighting: MutableSighting = {
        extremes: new Map(),
        histograms: new Map(),
        channelSums: [],
        sizes: new Map(),
      };
      for (const [index, one] of reduced.entries()) readers[index]?.(one, sighting);
      return sighting;
    },
  };
}

interface MutableSighting extends Sighting {
  readonly extremes: Map<ValueId, Range>;
  readonly histograms: Map<ValueId, Observation>;
  readonly channelSums: Sighting["channelSums"][number][];
  readonly sizes: Map<ValueId, number>;
}

/** The ends of no elements. */
const nothing: Range = { min: Infinity, max: -Infinity };

function numbersOf(reduced: Reduced): Float64Array {
  return reduced.by === "histogram" ? new Float64Array() : (reduced.numbers ?? new Float64Array());
}

/** Adds what sums channels, whatever a value's rank. */
function channelAdder(editor: Editor): (value: ValueId, axis: number) => ValueId {
  const constants = new Map<string, ValueId>();
  const integers = (numbers: readonly number[]): ValueId => {
    const name = `observed_by_${numbers.join("_")}`;
    const known = constants.get(name) ?? editor.constant(name, Tensor.int64(numbers));
    constants.set(name, known);
    return known;
  };
  return (value, axis) => {
    // Two dims with the channels last, or three with the channels in the middle.
    const [flat, others] =
      axis === -1
        ? [editor.add1("Flatten", [value], { axis: attribute.int(-1) }), [0]]
        : [editor.add1("Reshape", [value, integers([0, 0, -1])]), [0, 2]];
    return editor.add1("ReduceSum", [flat, integers(others)], { keepdims: attribute.int(0) });
  };
}

/** Where values come about: later ones have larger places, the model's inputs −1. */
function placesIn(graph: Graph): (value: ValueId) => number {
  const places = new Map(graph.order().map(({ id }, place) => [id, place]));
  return (value) => {
    const { producer } = graph.value(value);
    return producer === null ? -1 : (places.get(producer) ?? -1);
  };
}

function latestFirst(
  values: readonly ValueId[],
  placeOf: (value: ValueId) => number,
): readonly ValueId[] {
  return values.toSorted((a, b) => placeOf(b) - placeOf(a));
}

/**
 * Neighbours of one rank, whose ends become one output: each output has its price in an engine. What shares an output is
 * in memory at the same time, so only what is small is packed.
 */
function packed(
  graph: Graph,
  values: readonly ValueId[],
  bytesOf: (value: ValueId) => number,
): readonly (readonly ValueId[])[] {
  const packs: ValueId[][] = [];
  let [rank, bytes]: [number | null, number] = [null, 0];
  for (const value of values) {
    const { type } = graph.value(value);
    const own = type.kind === "tensor" && type.shape !== undefined ? type.shape.length : null;
    bytes += bytesOf(value);
    const fits = own !== null && own > 0 && own === rank && bytes <= packBytes;
    if (!fits) {
      packs.push([]);
      bytes = bytesOf(value);
    }
    rank = own;
    packs.at(-1)?.push(value);
  }
  return packs;
}
