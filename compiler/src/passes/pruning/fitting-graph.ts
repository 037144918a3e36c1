import type { Reduced, Reduction } from "@pare/runtime/format";
import { attribute, bodiesOf, edit, type Graph, type ValueId } from "../../ir/index.js";
import type { Consumer } from "../../prune/consumers.js";
import type { NormalEquations } from "../../prune/ridge-regression.js";
import { clearOutputs, giveOutput } from "../../train/interface.js";
import { dropUnused } from "../drop-unused.js";
import { type FittedLayer, unknownsOf } from "./fitted-layer.js";
import { FittingEmitter } from "./fitting-emitter.js";
import { windowOf } from "./fitting-window.js";

/** What is summed over samples. */
const sums = ["gram", "cross", "inputs", "wanted", "squares", "sizes"] as const;
const outputOf = (name: (typeof sums)[number]): string => `fitting_${name}`;

export const fittingSums: readonly Reduction[] = sums.map((name) => ({
  output: outputOf(name),
  by: "sum",
}));

/**
 * A graph whose outputs, summed over samples, say which weights of a layer of the cut model come closest to what the whole
 * model gives: it holds the whole model up to there, and the cut one.
 * @param sized the cut model with the sizes of a sample
 * @returns why there is none, where that cannot be written
 */
export function fittingGraph(
  whole: Graph,
  cut: Graph,
  sized: Graph,
  layer: FittedLayer,
  kept: Consumer["kept"],
): Graph | { readonly why: string } {
  const window = layer.weighted.linear.kind === "convolution" ? windowOf(cut, sized, layer) : null;
  if (window !== null && "why" in window) return window;
  const before = whole.order().filter(isBefore(whole, layer.result));
  if (before.some((node) => bodiesOf(node).length > 0)) return { why: "control flow leads to it" };
  const graph = cut.fork();
  edit(
    graph,
    "fitting",
    (editor) => {
      const emit = new FittingEmitter(editor);
      let wanted = emit.copied(whole, before, layer.result);
      for (const { axis, places } of kept)
        wanted = emit.add("Gather", [wanted, emit.integers(places)], { axis: attribute.int(axis) });
      const { activation, group } = layer.weighted;
      const [inputs, outputs] = [layer.inputs, layer.outputs / group];
      const [x, y] =
        window === null
          ? [emit.rows(activation, inputs), emit.rows(wanted, outputs)]
          : [
              emit.taps(activation, window, group, inputs),
              emit.places(emit.thinned(wanted, window), group, outputs),
            ];
      const turned = emit.add("Transpose", [x], { perm: attribute.ints([0, 2, 1]) });
      const found: Readonly<Record<(typeof sums)[number], ValueId>> = {
        gram: emit.add("MatMul", [x, turned]),
        cross: emit.add("MatMul", [y, turned]),
        inputs: emit.sum(x),
        wanted: emit.sum(y),
        squares: emit.add("ReduceSumSquare", [y, emit.integers([1, 2])], {
          keepdims: attribute.int(0),
        }),
        sizes: emit.add("Shape", [x]),
      };
      clearOutputs(editor, graph);
      for (const name of sums) giveOutput(editor, graph, found[name], outputOf(name));
    },
    { interface: true },
  );
  dropUnused(graph);
  return graph;
}

/** What the sums say of a layer. */
export interface Fitting {
  /** Of each group, its outputs in order; the intercept's input comes last. */
  readonly groups: readonly { readonly equations: NormalEquations; readonly squares: number }[];
  /** Σ of the squares of what is wanted, about its means. */
  readonly variance: number;
}

/** Undefined where there was no sample. */
export function fittingOf(layer: FittedLayer, reduced: readonly Reduced[]): Fitting | undefined {
  const numbers = reduced.map((one) => (one.by === "histogram" ? null : one.numbers));
  const [gram, cross, inputSums, wantedSums, squares, sizes] = numbers;
  if (!gram || !cross || !inputSums || !wantedSums || !squares || !sizes) return undefined;
  const { group } = layer.weighted;
  const [inputs, unknowns, outputs] = [layer.inputs, unknownsOf(layer), layer.outputs / group];
  const places = sizes[2] ?? 0;
  const groups = Array.from({ length: group }, (_, own) => {
    const equations = {
      unknowns,
      gram: new Float64Array(unknowns * unknowns),
      cross: new Float64Array(outputs * unknowns),
    };
    for (let row = 0; row < inputs; row += 1) {
      const from = (own * inputs + row) * inputs;
      equations.gram.set(gram.subarray(from, from + inputs), row * unknowns);
    }
    for (let row = 0; row < outputs; row += 1) {
      const from = (own * outputs + row) * inputs;
      equations.cross.set(cross.subarray(from, from + inputs), row * unknowns);
    }
    if (unknowns > inputs) {
      for (let at = 0; at < inputs; at += 1) {
        const sum = inputSums[own * inputs + at] as number;
        equations.gram[at * unknowns + inputs] = sum;
        equations.gram[inputs * unknowns + at] = sum;
      }
      equations.gram[inputs * unknowns + inputs] = places;
      for (let at = 0; at < outputs; at += 1)
        equations.cross[at * unknowns + inputs] = wantedSums[own * outputs + at] as number;
    }
    return { equations, squares: squares[own] ?? 0 };
  });
  const all = squares.reduce((sum, one) => sum + one, 0);
  const ofMeans = wantedSums.reduce((sum, one) => sum + (one * one) / places, 0);
  return { groups, variance: all - ofMeans };
}

function isBefore(graph: Graph, value: ValueId): (node: { readonly id: number }) => boolean {
  const found = new Set<number>();
  const open: (ValueId | null)[] = [value];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const producer = id === null ? undefined : graph.producer(id);
    if (producer === undefined || found.has(producer.id)) continue;
    found.add(producer.id);
    for (const input of producer.inputs) open.push(input);
  }
  return ({ id }) => found.has(id);
}
