import { transposedAxes } from "../../ops/families/convolution.js";
import { floatBytes, laneCount, vectorBytes, vectorsOf } from "../kernels/kernel.js";
import { matrix, packedLength } from "../kernels/matrix.js";
import { type Axis, collapsed } from "../kernels/nest.js";
import { placeAt } from "../plan/plan.js";
import { channelsLast, noHalo, sizeAt, stepAt, type View } from "../plan/view.js";
import { packedBias } from "./convolution-operands.js";
import { planDots, suitsDots } from "./dots.js";
import { absorbFollowers } from "./followers.js";
import { asImage, joinedAxes } from "./image.js";
import type { LoweringRow } from "./lowering-row.js";
import type { Lowering } from "./lowering.js";
import type { NodeFacts } from "./node-facts.js";
import { packedGroups, panelOf, type WeightsOf } from "./panels.js";

/** One axis, of which every result place o sums x[(o + before − k·dilation) / stride] over the taps k where that is whole. */
interface Spread {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly output: number;
}

/** Results that are `stride` apart use the same taps: one plain convolution of the input with those. */
interface Phase {
  /** The first result, and how many there are. */
  readonly start: number;
  readonly count: number;
  /** Place of the input under the first tap of the first result, and the tap of each place from there on; −1 for none. */
  readonly first: number;
  readonly taps: readonly number[];
}

/** Along an axis; vocoders spread by ten and more. */
const mostPhases = 64;

function phasesOf({ kernel, stride, dilation, before, output }: Spread): readonly Phase[] {
  const phases: Phase[] = [];
  for (let start = 0; start < Math.min(stride, output); start += 1) {
    const places: { readonly place: number; readonly tap: number }[] = [];
    for (let tap = 0; tap < kernel; tap += 1) {
      const from = start + before - tap * dilation;
      if (from % stride === 0) places.push({ place: from / stride, tap });
    }
    if (places.length === 0) {
      // No tap reaches these results: what they sum weighs nothing.
      const count = Math.ceil((output - start) / stride);
      phases.push({ start, count, first: 0, taps: [-1] });
      continue;
    }
    const first = Math.min(...places.map(({ place }) => place));
    const last = Math.max(...places.map(({ place }) => place));
    const taps = Array.from({ length: last - first + 1 }, (_, at) => {
      return places.find(({ place }) => place === first + at)?.tap ?? -1;
    });
    phases.push({ start, count: Math.ceil((output - start) / stride), first, taps });
  }
  return phases;
}

export const transposedConvolutionRow: LoweringRow = {
  refuse(node) {
    const rank = node.dims(0).length;
    if (rank < 3 || rank > 4) return "convolutions over one or two axes are compiled";
    if (!node.isConstant(1)) return "the weights must be constant";
    if (node.input(2) !== undefined && !node.isConstant(2)) return "the bias must be constant";
    const [channels = 0, group] = [node.dims(0)[1], groupsOf(node)];
    if (group < 1 || channels % group > 0) return "its groups do not fit its channels";
    const spreads = spreadsOf(node);
    if (spreads.length === 0) return "its window is not known";
    // Each phase is code of its own.
    const isFar = spreads.some(({ stride, output }) => Math.min(stride, output) > mostPhases);
    return isFar ? `strides of more than ${mostPhases} are not compiled` : undefined;
  },
  lower(node, l) {
    const [rows, columns] = spreadsOf(node);
    if (rows === undefined || columns === undefined) throw node.fault("has no window");
    const rank = node.dims(0).length;
    const x = inputOf(node, l, rows, columns);
    const { epilogue, other, result } = absorbFollowers(l, node.output());
    const order = channelsLast(rank);
    const [group, own = 1] = [groupsOf(node), node.dims(1)[1]];
    // Groups follow one another within a vector: none may write behind its last channel.
    const y = asImage(l.allocate(result, order, { exact: group > 1 && own % laneCount > 0 }));
    let z = other === undefined ? undefined : asImage(l.operand(other, rank, order));
    if (z !== undefined && y.padded && sizeAt(y, 1) % laneCount > 0) z = l.withLanes(z, 1, true);
    const depth = sizeAt(x, 1) / group;
    const value = node.required(1);
    const given = node.input(2);
    const bias = packedBias(given === undefined ? undefined : l.floats(given), group, own);
    const spread = (axis: number) =>
      z === undefined || sizeAt(z, axis) === 1 ? 0 : stepAt(z, axis);
    for (const row of phasesOf(rows))
      for (const column of phasesOf(columns)) {
        const axis = (a: number, phase: Phase, stride: number): Axis => ({
          count: phase.count,
          steps: [stepAt(x, a), stride * stepAt(y, a), stride * spread(a)],
        });
        const from = row.first * stepAt(x, 2) + column.first * stepAt(x, 3);
        const to = row.start * stepAt(y, 2) + column.start * stepAt(y, 3);
        const beside = row.start * spread(2) + column.start * spread(3);
        const [outer, inner] = joinedAxes([
          axis(2, row, rows.stride),
          axis(3, column, columns.stride),
        ]);
        const batch = collapsed([
          { count: sizeAt(y, 0), steps: [stepAt(x, 0), 0, 0, stepAt(y, 0), spread(0)] },
        ]);
        const step = sizeAt(x, 1) === 1 ? floatBytes : stepAt(x, 1);
        const rowTaps = { count: row.taps.length, steps: [stepAt(x, 2)] };
        const columnTaps = { count: column.taps.length, steps: [stepAt(x, 3)] };
        const isOneRun = stepAt(x, 3) === depth * step;
        const run = isOneRun ? depth * columnTaps.count : depth;
        const taps = collapsed(isOneRun ? [rowTaps] : [rowTaps, columnTaps]);
        const total = rowTaps.count * columnTaps.count * depth;
        const weightOf = weightsOf(node, row.taps, column.taps, columns.kernel);
        if (suitsDots(group, own, { count: run, step }, total)) {
          const shape = { batch, rows: outer, columns: inner, taps, run, outputs: own };
          planDots(
            l,
            { ...shape, padded: y.padded, epilogue },
            total,
            { value, weightOf },
            {
              input: placeAt(x.place, from),
              bias: bias && l.plan.constant(bias),
              output: placeAt(y.place, to),
              other: z === undefined ? y.place : placeAt(z.place, beside),
            },
          );
          continue;
        }
        const constant = l.packed(value, (numbers) =>
          packedGroups(weightOf(numbers), group, own, total),
        );
        const groups: Axis = {
          count: group,
          steps: [
            depth * stepAt(x, 1),
            packedLength(total, own) * floatBytes,
            bias === undefined ? 0 : vectorsOf(own) * vectorBytes,
            own * stepAt(y, 1),
            own * spread(1),
          ],
        };
        l.plan.step(
          matrix,
          {
            batch: [...batch, ...collapsed([groups])],
            rows: outer,
            columns: inner,
            taps,
            run: { count: run, step },
            outputs: own,
            panel: panelOf(own),
            bias: bias !== undefined,
            epilogue,
            padded: y.padded,
          },
          [
            placeAt(x.place, from),
            constant,
            bias === undefined ? constant : l.plan.constant(bias),
            placeAt(y.place, to),
            z === undefined ? y.place : placeAt(z.place, beside),
          ],
        );
      }
  },
};

/** Rows and columns; over one axis, the rows are one row. */
function spreadsOf(node: NodeFacts): readonly Spread[] {
  const [sizes, kernel] = [node.dims(0).slice(2), node.dims(1).slice(2)];
  const axes = transposedAxes(sizes, kernel, node.attributes) ?? [];
  const spreads = axes.map(({ stride, dilation, before }, at) => ({
    size: sizes[at] ?? 1,
    kernel: kernel[at] ?? 1,
    stride,
    dilation,
    before,
    output: node.outputDims()[at + 2] ?? 1,
  }));
  const one = { size: 1, kernel: 1, stride: 1, dilation: 1, before: 0, output: 1 };
  return spreads.length === 1 ? [one, ...spreads] : spreads;
}

/** The input with as many zeros around it as windows of any phase reach beyond it. */
function inputOf(node: NodeFacts, l: Lowering, rows: Spread, columns: Spread): View {
  const view = l.view(node.required(0));
  const halo = [rows, columns].map((axis) => {
    const phases = phasesOf(axis);
    const before = Math.max(0, ...phases.map(({ first }) => -first));
    const reach = phases.map(({ first, taps, count }) => first + taps.length - 1 + count - 1);
    return [before, Math.max(0, ...reach.map((place) => place - (axis.size - 1)))] as const;
  });
  const wanted = [noHalo, noHalo, ...halo.slice(4 - view.dims.length)];
  const isThere = wanted.every(([before, after], axis) => {
    const [b, a] = view.halo[axis] ?? noHalo;
    return b >= before && a >= after;
  });
  if (isThere && (view.lanes === 1 || sizeAt(view, 1) === 1)) return asImage(view);
  const layout = { order: channelsLast(view.dims.length), padded: false, halo: wanted };
  return asImage(l.copied(view, layout));
}

function groupsOf({ attributes }: NodeFacts): number {
  return attributes.int("group", 1);
}

/** By group: the k-th of taps × channels, for a map; taps of no weight are zeros. */
function weightsOf(
  node: NodeFacts,
  rowTaps: readonly number[],
  columnTaps: readonly number[],
  width: number,
): WeightsOf {
  const [channels = 1, maps = 1, ...kernel] = node.dims(1);
  const area = kernel.reduce((product, size) => product * size, 1);
  const depth = channels / groupsOf(node);
  return (numbers) => (k, map, group) => {
    const [tap, channel] = [Math.floor(k / depth), group * depth + (k % depth)];
    const row = rowTaps[Math.floor(tap / columnTaps.length)] ?? -1;
    const column = columnTaps[tap % columnTaps.length] ?? -1;
    if (row < 0 || column < 0) return 0;
    return numbers[(channel * maps + map) * area + row * width + column] ?? 0;
  };
}
