import { centreI8 } from "../../kernels/centre-i8.js";
import { floatBytes, laneCount, vectorsOf } from "../../kernels/kernel.js";
import { matrixI8 } from "../../kernels/matrix-i8.js";
import type { MatrixI8Options } from "../../kernels/matrix-i8-options.js";
import { collapsed } from "../../kernels/nest.js";
import { termBytes } from "../../kernels/rounding-i8.js";
import { termsI8 } from "../../kernels/terms-i8.js";
import type { Place } from "../../plan/plan.js";
import { stepAt, type View } from "../../plan/view.js";
import type { Lowering } from "../lowering.js";
import type { NodeFacts } from "../node-facts.js";
import { type ByteWeights, sumsOf, weightOf } from "./byte-weights.js";
import { type ScaledSum, scaledSum } from "./scaled-sum.js";

/** How sums of products of bytes are made, and where they go. */
interface IntegerSum {
  readonly groups: number;
  /** Of the result, the outermost first; the channels' is the last. */
  readonly order: readonly number[];
  /** The axis of the channels. */
  readonly channel: number;
  /** A result as the loops see it. */
  readonly seen: (result: View) => View;
  /** @param outputs sums of a group, one behind the other in what they are written to */
  readonly sums: (sums: View, outputs: number) => Sums;
}

interface Sums {
  readonly input: Place;
  readonly weights: Int8Array;
  readonly loops: Pick<MatrixI8Options, "batch" | "rows" | "columns" | "taps" | "run">;
  readonly block: number | undefined;
}

/**
 * Plans sums of products of bytes with weights of bytes:
 *
 *     Σ (x − zₓ)·(w − z) = (Σ x·w − zₓ·Σ w) − z·(Σ x − zₓ·n)
 *
 * The first parentheses are what is summed from a start that a run computes. Weights whose zero point is taken off beforehand
 * have a z of 0; else the second parentheses are one sum more, with weights of 1, and z times it is taken off afterwards.
 */
export function planIntegerSum(
  node: NodeFacts,
  l: Lowering,
  weights: ByteWeights,
  { groups, order, channel, seen, sums }: IntegerSum,
): void {
  const scaled = scaledSum(l, node.output(), channel);
  const { factors } = scaled;
  const { zeros } = weights;
  const terms = planTerms(l, node, weights, groups, scaled);
  const outputs = sumsOf(weights, groups);
  const result = l.allocate(scaled.output, order, { exact: true });
  const y = seen(result);
  const made = zeros === undefined ? y : seen(sumsFor(l, result, channel, order, outputs * groups));
  const { input, weights: packed, loops, block } = sums(made, outputs);
  const kind = zeros === undefined && factors !== "none" ? "floats" : "integers";
  l.plan.step(
    matrixI8,
    {
      ...loops,
      ...(block !== undefined && { block }),
      outputs,
      activations: "8-bit",
      result: { kind },
      padded: false,
    },
    [input, l.plan.constant(packed), terms, made.place, made.place],
  );
  if (zeros !== undefined)
    planCentre(l, { groups, outputs, channel, zeros, scaled, from: made, to: y });
}

function sumsFor(
  l: Lowering,
  { dims }: View,
  channel: number,
  order: readonly number[],
  count: number,
): View {
  const own = dims.map((size, axis) => (axis === channel ? count : size));
  return l.temporary(own, { order, padded: false, halo: [] }, "sums", "i32");
}

interface Centred {
  readonly groups: number;
  readonly outputs: number;
  readonly channel: number;
  readonly zeros: Int32Array;
  readonly scaled: ScaledSum;
  readonly from: View;
  readonly to: View;
}

function planCentre(
  l: Lowering,
  { groups, outputs, channel, zeros, scaled, from, to }: Centred,
): void {
  const channels = zeros.length / groups;
  const by = scaled.factors === "each" ? channels * floatBytes : 0;
  const own = channels * floatBytes;
  const places = to.dims.flatMap((count, axis) =>
    axis === channel ? [] : [{ count, steps: [stepAt(from, axis), 0, 0, stepAt(to, axis)] }],
  );
  const ofGroups = { count: groups, steps: [outputs * floatBytes, own, by, own] };
  const zerosAt = l.plan.constant(zeros);
  l.plan.step(
    centreI8,
    { axes: collapsed([...places, ofGroups]), channels, factors: scaled.factors },
    [from.place, zerosAt, scaled.factor ?? zerosAt, to.place],
  );
}

/** Plans what goes with sums, by group: where they begin follows from the input's zero point. @returns where it lies */
function planTerms(
  l: Lowering,
  node: NodeFacts,
  weights: ByteWeights,
  groups: number,
  { factors, factor }: ScaledSum,
): Place {
  const channels = sumsOf(weights, groups);
  const vectors = vectorsOf(channels);
  const sums = new Int32Array(groups * vectors * laneCount);
  for (let group = 0; group < groups; group += 1)
    for (let n = 0; n < channels; n += 1) {
      let sum = 0;
      for (let k = 0; k < weights.depth; k += 1) sum += weightOf(weights, groups, group, n, k);
      sums[group * vectors * laneCount + n] = sum;
    }
  const terms = l.plan.memory(groups * vectors * termBytes, "terms");
  const sumsAt = l.plan.constant(sums);
  const own = weights.zeros === undefined ? factors : "none";
  l.plan.step(termsI8, { groups, channels, factors: own }, [
    zeroPlace(l, node),
    sumsAt,
    own === "none" ? sumsAt : (factor ?? sumsAt),
    terms,
  ]);
  return terms;
}

/** Where the zero point of a node's input lies. */
function zeroPlace(l: Lowering, node: NodeFacts): Place {
  const id = node.input(2);
  return id === undefined ? l.plan.constant(Uint8Array.of(0)) : l.view(id).place;
}
