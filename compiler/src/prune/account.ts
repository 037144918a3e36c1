import type { LeftChannels, PrunedGroup, PruningAccount } from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import type { Group } from "./groups.js";
import type { PrunePlan, PruneWish } from "./prune.js";

/** Models may have thousands of channels; what is told of them stays small. */
const mostGroups = 100;
const mostFigures = 32;
const mostRanges = 32;
const mostReasons = 20;

/** What a plan cuts and what it leaves, as data. */
export function pruningAccount(
  graph: Graph,
  { groups, cuts, scores, importance, blocked }: PrunePlan,
  { measure, keep }: PruneWish,
): PruningAccount {
  const gone = new Map(cuts.map((cut) => [cut.group, cut.gone]));
  const lost = (group: Group): number => (gone.get(group)?.length ?? 0) * group.width;
  const told = groups
    .map((group, at) => ({ group, at }))
    .sort((a, b) => lost(b.group) - lost(a.group) || a.at - b.at)
    .slice(0, mostGroups)
    .sort((a, b) => a.at - b.at);
  return {
    kind: "pruning",
    measure,
    keep,
    importance,
    groups: told.map(({ group, at }) =>
      groupAccount(graph, group, gone.get(group) ?? [], scores[at] ?? new Float64Array()),
    ),
    moreGroups: groups.length - told.length,
    left: leftChannels([
      ...blocked.map(({ channels, reason }) => ({ reason: reason.why, channels })),
      ...groups
        .filter((group) => !gone.has(group))
        .map(({ units, width }) => ({ reason: "others matter less", channels: units * width })),
    ]),
  };
}

function groupAccount(
  graph: Graph,
  { node, units, width, heads }: Group,
  gone: readonly number[],
  scores: Float64Array,
): PrunedGroup {
  const kept = units - gone.length;
  // Those that matter least are gone.
  const descending = scores.toSorted().reverse();
  const keptFigures = figuresOfKept(kept, units);
  const cutFigures = Math.min(gone.length, mostFigures - keptFigures);
  return {
    node: graph.nodeLabel(node),
    op: node.op,
    units,
    width,
    heads,
    kept,
    importance: [
      ...means(descending.subarray(0, kept), keptFigures),
      ...means(descending.subarray(kept), cutFigures),
    ],
    importanceKept: keptFigures,
    cut: rangesOf(gone),
  };
}

/** How many figures stand for a group's kept units: their share of all, with at least one left for those that are gone. */
function figuresOfKept(kept: number, units: number): number {
  if (kept === 0 || units <= mostFigures) return kept;
  const share = Math.round((mostFigures * kept) / units);
  return Math.min(kept, mostFigures - 1, Math.max(1, share));
}

/** Means of so many runs, as long as one another to one. */
function means(values: Float64Array, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => {
    const run = values.subarray(
      Math.floor((index * values.length) / count),
      Math.floor(((index + 1) * values.length) / count),
    );
    const mean = run.reduce((sum, value) => sum + value, 0) / run.length;
    return Number(mean.toPrecision(4));
  });
}

function rangesOf(gone: readonly number[]): PrunedGroup["cut"] {
  const ranges: [number, number][] = [];
  for (const unit of [...gone].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.[1] === unit - 1) last[1] = unit;
    else if (ranges.length === mostRanges) break;
    else ranges.push([unit, unit]);
  }
  return ranges;
}

function leftChannels(
  all: readonly { readonly reason: string; readonly channels: number }[],
): readonly LeftChannels[] {
  const byReason = new Map<string, LeftChannels>();
  for (const { reason, channels } of all) {
    const known = byReason.get(reason) ?? { reason, layers: 0, channels: 0 };
    byReason.set(reason, {
      reason,
      layers: known.layers + 1,
      channels: known.channels + channels,
    });
  }
  const sorted = [...byReason.values()].sort((a, b) => b.channels - a.channels);
  const [told, others] = [sorted.slice(0, mostReasons), sorted.slice(mostReasons)];
  if (others.length === 0) return told;
  const sum = (of: "layers" | "channels"): number => others.reduce((all, one) => all + one[of], 0);
  return [...told, { reason: "other reasons", layers: sum("layers"), channels: sum("channels") }];
}
