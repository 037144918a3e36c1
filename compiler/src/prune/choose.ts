import { PareError } from "@pare/runtime/format";
import type { Blocked, Group } from "./groups.js";
import type { Sizes } from "./sizes.js";

export interface Wish {
  /** What is to be left, as a share of what there is. */
  readonly keep: number;
  /** Where the wish stands, for messages. */
  readonly where: string;
  readonly scope: "global" | "layer";
  /** Channels are left in multiples of this, where that is possible. */
  readonly multiple: number;
}

/** Of a group's units, this share stays as long as the wish can be met so. */
const leastShare = 1 / 8;
/** A result this much smaller than was wished has lost channels to the multiples: smaller ones are tried. */
const closeEnough = 0.8;
/** How finely shares are tried when all layers have the same. */
const shareSteps = 256;

/** Some of a group's units, those that matter least of what is left. */
interface Block {
  readonly group: number;
  readonly before: number;
  readonly after: number;
  readonly score: number;
}

/**
 * How many units of each group are left, so that the model costs no more than was wished. First in multiples as large as
 * wished, and no group below an eighth; where that does not get there, or far beyond, in half of them, and so on.
 * @param scores of each group's units, ascending; such that all compare, 1 on average
 * @throws PareError RECIPE where not even one unit of each group would do: how far it can go, and what stands in the way
 */
export function chooseUnits(
  sizes: Sizes,
  groups: readonly Group[],
  scores: readonly Float64Array[],
  blocked: readonly Blocked[],
  wish: Wish,
): readonly number[] {
  const before = sizes.total();
  const target = wish.keep * before;
  let best: readonly number[] | undefined;
  let most = -1;
  for (const [multiple, share] of attempts(wish.multiple)) {
    groups.forEach(({ units }, group) => sizes.set(group, units));
    const ladders = groups.map((group) => ladderOf(group, multiple, share));
    const met =
      wish.scope === "global"
        ? takeWeakest(sizes, ladders, scores, target)
        : takeEvenly(sizes, groups, ladders, target);
    if (!met) continue;
    giveBack(sizes, ladders, scores, target);
    if (sizes.total() > most) {
      most = sizes.total();
      best = [...sizes.left];
    }
    if (most >= closeEnough * target) break;
  }
  if (best !== undefined) {
    best.forEach((left, group) => sizes.set(group, left));
    return best;
  }
  groups.forEach((_, group) => sizes.set(group, 1));
  throw tooFar(sizes.total() / before, groups, blocked, wish);
}

function attempts(multiple: number): readonly (readonly [multiple: number, share: number])[] {
  const found: [number, number][] = [];
  for (let step = multiple; step > 1; step = Math.floor(step / 2)) found.push([step, leastShare]);
  return [...found, [1, leastShare], [1, 0]];
}

/** The numbers of units that a group may be left with, descending from all of them. */
function ladderOf({ units, width }: Group, multiple: number, share: number): readonly number[] {
  const step = multiple / greatestCommonDivisor(multiple, width);
  const least = Math.max(1, Math.ceil(share * units));
  const steps = [units];
  for (let left = Math.ceil(units / step - 1) * step; left >= least && left > 0; left -= step)
    steps.push(left);
  return steps;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Takes, block by block, what matters least of all, until the model is as small as wished. */
function takeWeakest(
  sizes: Sizes,
  ladders: readonly (readonly number[])[],
  scores: readonly Float64Array[],
  target: number,
): boolean {
  const next = ladders.flatMap((_, group) => blockBelow(sizes, ladders, scores, group) ?? []);
  let cost = sizes.total();
  while (cost > target) {
    const at = weakest(next);
    const block = next[at];
    if (block === undefined) return false;
    const macs = sizes.groupMacs(block.group);
    sizes.set(block.group, block.after);
    const now = sizes.total();
    const below = blockBelow(sizes, ladders, scores, block.group);
    // What saves nothing of what is counted is not worth a channel. In a branch it may, once the other is as cheap.
    const isIdle = now === cost && sizes.groupMacs(block.group) === macs;
    if (isIdle) sizes.set(block.group, block.before);
    if (isIdle || below === undefined) next.splice(at, 1);
    else next[at] = below;
    cost = now;
  }
  return true;
}

function weakest(blocks: readonly Block[]): number {
  let found = 0;
  for (const [at, { score }] of blocks.entries())
    if (score < (blocks[found]?.score ?? Infinity)) found = at;
  return found;
}

/** The next block that a group can lose. */
function blockBelow(
  { left }: Sizes,
  ladders: readonly (readonly number[])[],
  scores: readonly Float64Array[],
  group: number,
): Block | undefined {
  const ladder = ladders[group] ?? [];
  const before = left[group] ?? 0;
  const after = ladder[ladder.indexOf(before) + 1];
  return after === undefined
    ? undefined
    : { group, before, after, score: meanScore(scores[group], before, after) };
}

function meanScore(scores: Float64Array | undefined, before: number, after: number): number {
  const units = scores?.length ?? 0;
  const lost = scores?.subarray(units - before, units - after) ?? new Float64Array();
  return lost.reduce((sum, score) => sum + score, 0) / lost.length;
}

/** Leaves every group the same share: the largest that is small enough. */
function takeEvenly(
  sizes: Sizes,
  groups: readonly Group[],
  ladders: readonly (readonly number[])[],
  target: number,
): boolean {
  const costAt = (step: number): number => {
    for (const [group, { units }] of groups.entries()) {
      const wanted = (step / shareSteps) * units;
      const ladder = ladders[group] ?? [];
      sizes.set(group, ladder.find((left) => left <= wanted) ?? ladder.at(-1) ?? units);
    }
    return sizes.total();
  };
  if (costAt(0) > target) return false;
  let [low, high] = [0, shareSteps];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (costAt(middle) <= target) low = middle;
    else high = middle;
  }
  return costAt(low) <= target;
}

/** The last block may have been larger than was needed: what matters most comes back where there is room for it. */
function giveBack(
  sizes: Sizes,
  ladders: readonly (readonly number[])[],
  scores: readonly Float64Array[],
  target: number,
): void {
  const above = (group: number): Block[] => {
    const ladder = ladders[group] ?? [];
    const after = sizes.left[group] ?? 0;
    const before = ladder[ladder.indexOf(after) - 1];
    return before === undefined
      ? []
      : [{ group, before, after, score: meanScore(scores[group], before, after) }];
  };
  const open = ladders.flatMap((_, group) => above(group));
  while (open.length > 0) {
    open.sort((a, b) => a.score - b.score);
    const block = open.pop();
    if (block === undefined) return;
    sizes.set(block.group, block.before);
    if (sizes.total() <= target) open.push(...above(block.group));
    else sizes.set(block.group, block.after);
  }
}

/** @param reachable the least share that there is */
export function tooFar(
  reachable: number,
  groups: readonly Group[],
  blocked: readonly Blocked[],
  { keep, where }: Wish,
): PareError {
  const reasons = new Map<string, number>();
  for (const { reason } of blocked) reasons.set(reason.why, (reasons.get(reason.why) ?? 0) + 1);
  const most = [...reasons].sort(([, a], [, b]) => b - a).slice(0, 3);
  const said = most.map(
    ([why, count]) => `${why} (${count === 1 ? "one layer" : `${count} layers`})`,
  );
  const far =
    groups.length === 0
      ? "nothing of this model can be cut"
      : `with one unit left of each of ${groups.length} groups it still has ${figure(reachable)}`;
  const inTheWay = said.length === 0 ? [] : [`In the way: ${said.join("; ")}.`];
  const instead =
    groups.length === 0
      ? "Do without pruning; pare quantize may do."
      : `Ask for more than ${figure(Math.ceil(reachable * 1000) / 1000)}.`;
  return new PareError("RECIPE", `${where} ${figure(keep)} cannot be met: ${far}.`, {
    where,
    hint: [...inTheWay, instead].join(" "),
  });
}

function figure(share: number): string {
  return String(Number(share.toFixed(3)));
}
