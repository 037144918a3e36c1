import { type Observation, type Reduced, type Reduction } from "@pare/runtime/format";
import {
  attribute,
  edit,
  type Editor,
  type Graph,
  product,
  Tensor,
  type ValueId,
  shapeOf,
} from "../ir/index.js";
import type { Range } from "../quantize/scale.js";
import { derivedEnds, noEnds } from "./derived-ends.js";

/** What is to be seen of activations, each a float32 value of the main graph. */
export interface Watched {
  /** The smallest and the largest element. */
  readonly extremes: readonly ValueId[];
  /** How elements are distributed. */
  readonly histograms: readonly ValueId[];
  /** The sum of each channel along an axis; −1 is the last. */
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
  /**
   * @param reduced what came of the reductions, in order
   * @param samples of how many samples
   */
  read(reduced: readonly Reduced[], samples: number): Sighting;
}

/** Activations up to so many bytes together may wait for each other to become one output. */
const packBytes = 2 ** 20;

/**
 * A copy of the graph whose outputs are what is watched. Extremes and sums are operators in it, so that the engine works
 * them out, on all its threads, and large activations never leave it. Only where a distribution is asked for does an
 * activation become an output. Extremes that follow from others are not looked for.
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
  const latestFirst = (a: ValueId, b: ValueId): number => placeOf(b) - placeOf(a);
  const ends = derivedEnds(graph, extremes);
  const { derived } = ends;
  const sought = ends.sought.toSorted(latestFirst);
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
      const giveEnds = (pack: readonly ValueId[]): void => {
        const smallest = pack.map((value) => editor.add1("ReduceMin", [value]));
        const largest = pack.map((value) => editor.add1("ReduceMax", [value]));
        if (pack.every((value) => rankOf(graph, value))) {
          give(joined(editor, [...smallest, ...largest]), "ends", (reduced, into) => {
            const numbers = numbersOf(reduced);
            for (const [index, value] of pack.entries()) {
              const { [index]: min = noEnds.min, [pack.length + index]: max = noEnds.max } =
                numbers;
              into.extremes.set(value, { min, max });
            }
          });
          return;
        }
        // Numbers without an axis do not join.
        const ends = [["min", smallest] as const, ["max", largest] as const];
        for (const [index, value] of pack.entries())
          for (const [end, { [index]: found = value }] of ends)
            give(found, end, (reduced, { extremes: ranges }) => {
              const { [0]: x = noEnds[end] } = numbersOf(reduced);
              ranges.set(value, { ...(ranges.get(value) ?? noEnds), [end]: x });
            });
      };
      const sumsOf = channelAdder(graph, editor);
      const giveSums = (pack: Watched["channelSums"]): void => {
        const sums = joined(
          editor,
          pack.map(({ value, axis }) => sumsOf(value, axis)),
        );
        give(sums, "sum", (reduced, into) => {
          const numbers = numbersOf(reduced);
          let from = 0;
          for (const one of pack) {
            const to = from + (channelsOf(graph, one) ?? numbers.length);
            into.channelSums.push({ ...one, sums: numbers.slice(from, to) });
            from = to;
          }
        });
        for (const { value } of pack) {
          if (sizeOf(graph, value) !== undefined) continue;
          give(editor.add1("Size", [value]), "sum", (reduced, into) =>
            into.sizes.set(value, numbersOf(reduced)[0] ?? 0),
          );
        }
      };
      const additions = [
        ...packed(sought, (value) => rankOf(graph, value) || null, bytesOf).map((pack) => ({
          place: Math.max(...pack.map(placeOf)),
          add: () => giveEnds(pack),
        })),
        ...packed(
          channelSums.toSorted((a, b) => latestFirst(a.value, b.value)),
          (one) => (channelsOf(graph, one) === undefined ? null : "sums"),
          ({ value }) => bytesOf(value),
        ).map((pack) => ({
          place: Math.max(...pack.map(({ value }) => placeOf(value))),
          add: () => giveSums(pack),
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
    read(reduced, samples) {
      const sighting: MutableSighting = {
        extremes: new Map(),
        histograms: new Map(),
        channelSums: [],
        sizes: new Map(),
      };
      for (const [index, one] of reduced.entries()) readers[index]?.(one, sighting);
      for (const { value, from, ends } of derived)
        sighting.extremes.set(value, ends(sighting.extremes.get(from) ?? noEnds));
      for (const { value } of channelSums) {
        const size = sizeOf(graph, value);
        if (size !== undefined) sighting.sizes.set(value, size * samples);
      }
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

function numbersOf(reduced: Reduced): Float64Array {
  return reduced.by === "histogram" ? new Float64Array() : (reduced.numbers ?? new Float64Array());
}

/** Adds what sums channels, of the last axis and of axis 1 whatever a value's rank. */
function channelAdder(graph: Graph, editor: Editor): (value: ValueId, axis: number) => ValueId {
  const constants = new Map<string, ValueId>();
  const integers = (numbers: readonly number[]): ValueId => {
    const name = `observed_by_${numbers.join("_")}`;
    const known = constants.get(name) ?? editor.constant(name, Tensor.int64(numbers));
    constants.set(name, known);
    return known;
  };
  return (value, axis) => {
    const rank = rankOf(graph, value) ?? 0;
    // Two dims with the channels last, or three with the channels in the middle.
    const [flat, others] =
      axis === -1 || axis === rank - 1
        ? [editor.add1("Flatten", [value], { axis: attribute.int(-1) }), [0]]
        : axis === 1
          ? [editor.add1("Reshape", [value, integers([0, 0, -1])]), [0, 2]]
          : [value, Array.from({ length: rank }, (_, at) => at).filter((at) => at !== axis)];
    return editor.add1("ReduceSum", [flat, integers(others)], { keepdims: attribute.int(0) });
  };
}

/** Where values come about: later ones have larger places, the model's inputs −1. */
export function placesIn(graph: Graph): (value: ValueId) => number {
  const places = new Map(graph.order().map(({ id }, place) => [id, place]));
  return (value) => {
    const { producer } = graph.value(value);
    return producer === null ? -1 : (places.get(producer) ?? -1);
  };
}

/** Undefined where it is not known. */
function rankOf(graph: Graph, value: ValueId): number | undefined {
  return shapeOf(graph, value)?.length;
}

/** How many elements a value has for every sample; undefined where that depends on the sample. */
function sizeOf(graph: Graph, value: ValueId): number | undefined {
  const shape = shapeOf(graph, value);
  const size = shape && product(shape);
  return typeof size === "number" ? size : undefined;
}

function channelsOf(
  graph: Graph,
  { value, axis }: Watched["channelSums"][number],
): number | undefined {
  const channels = shapeOf(graph, value)?.at(axis);
  return typeof channels === "number" ? channels : undefined;
}

/** Together so few at a time: engines take as long as the square of what one operator reads to open and to run it. */
const mostJoined = 32;

/** Values of one rank, along their first axis. */
function joined(editor: Editor, values: readonly ValueId[]): ValueId {
  if (values.length > mostJoined) {
    const parts = Array.from({ length: Math.ceil(values.length / mostJoined) }, (_, at) =>
      joined(editor, values.slice(at * mostJoined, (at + 1) * mostJoined)),
    );
    return joined(editor, parts);
  }
  const [first, ...others] = values;
  return first !== undefined && others.length === 0
    ? first
    : editor.add1("Concat", values, { axis: attribute.int(0) });
}

/**
 * Neighbours of one kind, of which what is reduced becomes one output: each output has its price in an engine. What shares
 * an output is in memory at the same time, so only what is small is packed.
 * @param kindOf null for what stands alone
 */
function packed<T>(
  latestFirst: readonly T[],
  kindOf: (one: T) => string | number | null,
  bytesOf: (one: T) => number,
): readonly (readonly T[])[] {
  const packs: T[][] = [];
  let [kind, bytes]: [string | number | null, number] = [null, 0];
  for (const one of latestFirst) {
    const own = kindOf(one);
    bytes += bytesOf(one);
    const fits = own !== null && own === kind && bytes <= packBytes;
    if (!fits) {
      packs.push([]);
      bytes = bytesOf(one);
    }
    kind = own;
    packs.at(-1)?.push(one);
  }
  return packs;
}
