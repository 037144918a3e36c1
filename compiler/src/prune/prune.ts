import { PareError } from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import { operatorOf } from "../ops/index.js";
import type { PassContext } from "../pipeline/pass.js";
import type { ChannelAxes } from "./axes.js";
import { chooseUnits, tooFar, type Wish } from "./choose.js";
import type { GroupCut } from "./cut.js";
import { type Blocked, channelGroups, type Group, type Groups } from "./groups.js";
import {
  activationScores,
  batchNormScales,
  type Gradients,
  type Importance,
  magnitudes,
  taylorScores,
} from "./importance.js";
import { type Measure, Sizes } from "./sizes.js";

export interface PruneWish extends Wish {
  readonly measure: Measure;
  readonly importance: Importance;
  /** Of the loss, for `taylor`. */
  readonly gradients?: Gradients;
}

/** What is to be cut, and nothing done yet. */
export interface PrunePlan {
  readonly axes: ChannelAxes;
  readonly cuts: readonly GroupCut[];
  /** Of the groups: what of the model can be cut at all. */
  readonly groups: readonly Group[];
  /** Of each group's units; such that all compare, 1 on average. */
  readonly scores: readonly Float64Array[];
  /** What told them: magnitudes where what was wished is not to be had of this model. */
  readonly importance: Importance;
  readonly blocked: readonly Blocked[];
  /** MACs, parameters or channels before and after, as the wish measures. */
  readonly before: number;
  readonly after: number;
}

/**
 * Decides which channels of a model go. The model is not changed; what is found holds as long as it is not.
 * @throws PareError RECIPE where the wish cannot be met, UNSUPPORTED_OP where it cannot be counted
 */
export async function planPruning(
  graph: Graph,
  wish: PruneWish,
  context: Pick<PassContext, "activations" | "signal"> = {},
): Promise<PrunePlan> {
  const found = channelGroups(graph);
  const { axes, groups, blocked } = found;
  if (groups.length === 0 && isQuantized(graph)) throw quantizedAlready(wish);
  const { scores, importance } = await scoresOf(graph, found, wish, context);
  const orders = scores.map((units) =>
    [...units.keys()].sort((a, b) => (units[a] as number) - (units[b] as number)),
  );
  const ascending = scores.map((units) => units.toSorted());
  const sizes = new Sizes(graph, groups, wish.measure);
  const before = sizes.total();
  if (before === 0 && wish.measure === "channels") throw tooFar(1, groups, blocked, wish);
  const left = chooseUnits(sizes, groups, ascending, blocked, wish);
  const cuts = groups.flatMap((group, at) => {
    const gone = orders[at]?.slice(0, group.units - (left[at] ?? group.units)) ?? [];
    return gone.length === 0 ? [] : [{ group, gone }];
  });
  return { axes, cuts, groups, scores, importance, blocked, before, after: sizes.total() };
}

function isQuantized(graph: Graph): boolean {
  return [...graph.allNodes()].some((node) => operatorOf(node)?.traits.quantization !== undefined);
}

function quantizedAlready({ keep, where }: Wish): PareError {
  return new PareError(
    "RECIPE",
    `${where} ${keep} cannot be met: the model is quantized already.`,
    {
      where,
      hint: "Prune the float model that it was made from, and quantize what is left.",
    },
  );
}

async function scoresOf(
  graph: Graph,
  found: Groups,
  { importance, gradients }: PruneWish,
  context: Pick<PassContext, "activations" | "signal">,
): Promise<Pick<PrunePlan, "scores" | "importance">> {
  const { axes, groups } = found;
  const scores = await scoresBy(importance, graph, found, { ...context, gradients });
  if (scores !== null) return { scores, importance };
  return { scores: await magnitudes(graph, axes, groups), importance: "magnitude" };
}

/** Null where a model has not what tells them. */
async function scoresBy(
  importance: Importance,
  graph: Graph,
  { axes, groups }: Groups,
  {
    activations,
    signal,
    gradients,
  }: Pick<PassContext, "activations" | "signal"> & { readonly gradients: Gradients | undefined },
): Promise<readonly Float64Array[] | null> {
  switch (importance) {
    case "magnitude":
      return magnitudes(graph, axes, groups);
    case "batch-norm":
      return batchNormScales(graph, axes, groups);
    case "activation":
      return activations === undefined
        ? null
        : activationScores(graph, axes, groups, activations, signal);
    case "taylor":
      return gradients === undefined ? null : taylorScores(graph, axes, groups, gradients);
    default:
      return importance satisfies never;
  }
}
