import type { Graph, NodeId, Tensor, ValueId } from "../ir/index.js";
import { unpackNumbers } from "../ops/elements/arrays.js";
import { operatorOf } from "../ops/index.js";
import { couplingsOf } from "./couplings-of.js";
import type { Activations, Wanted } from "../pipeline/activations.js";
import type { Group, Member } from "./groups.js";
import type { ChannelAxes } from "./axes.js";

/** How it may be told which units matter. */
export const importances = ["magnitude", "batch-norm", "activation", "taylor"] as const;
export type Importance = (typeof importances)[number];

/** Whether it shows on samples alone. */
export const looksAtSamples = (importance: string): boolean =>
  importance === "activation" || importance === "taylor";

/** Goes through batches of samples, with the gradients of each batch's loss by the constants that are trained. */
export type Gradients = (
  take: (batch: ReadonlyMap<ValueId, ArrayLike<number>>) => Promise<void>,
) => Promise<void>;

/** Not by `from`, which goes through an iterator: there may be millions. */
function each(
  elements: ArrayLike<number>,
  score: (value: number, at: number) => number,
): ArrayLike<number> {
  const scores = new Float64Array(elements.length);
  for (let at = 0; at < scores.length; at += 1) scores[at] = score(elements[at] ?? 0, at);
  return scores;
}

const squares = (elements: ArrayLike<number>): ArrayLike<number> =>
  each(elements, (value) => value * value);

const sizes = (elements: ArrayLike<number>): ArrayLike<number> => each(elements, Math.abs);

/**
 * For each group a score for each unit, 1 on average. By magnitude: the L2 norm of all weights that are cut with the unit,
 * those that make it and those that read it (group norm of Fang et al. 2023, "DepGraph", eq. 4).
 */
export async function magnitudes(
  graph: Graph,
  axes: ChannelAxes,
  groups: readonly Group[],
): Promise<readonly Float64Array[]> {
  const sums = await sumsOver(graph, groups, squares, (member) => isWeight(graph, axes, member));
  return sums.map((units) => normalized(units.map(Math.sqrt)));
}

/**
 * The size of the scale of the group's batch normalizations (Liu et al. 2017, "Network Slimming"); by magnitude where a
 * group has none. Null where no group has one.
 */
export async function batchNormScales(
  graph: Graph,
  axes: ChannelAxes,
  groups: readonly Group[],
): Promise<readonly Float64Array[] | null> {
  const isScale = (member: Member): boolean =>
    axes
      .ends(member.axis)
      .some(({ node, port }) => node.op === "BatchNormalization" && port.index === 1);
  const have = groups.map(({ members }) => members.some(isScale));
  if (!have.includes(true)) return null;
  const others = await magnitudes(graph, axes, groups);
  const sums = await sumsOver(graph, groups, sizes, isScale);
  return sums.map((units, at) =>
    have[at] === true ? normalized(units) : (others[at] ?? normalized(units)),
  );
}

/**
 * The square of Σ w · g over all weights that are cut with a unit, summed over batches: how much the loss changes without
 * it, to first order (Molchanov et al. 2019, "Importance Estimation for Neural Network Pruning", eq. 8). Over all samples at
 * once the gradients of a model that was trained cancel out.
 */
export async function taylorScores(
  graph: Graph,
  axes: ChannelAxes,
  groups: readonly Group[],
  gradients: Gradients,
): Promise<readonly Float64Array[]> {
  const scores = groups.map(({ units }) => new Float64Array(units));
  // Once, and not for each batch.
  const read = new Map<Tensor, Promise<ArrayLike<number>>>();
  const once = (tensor: Tensor): Promise<ArrayLike<number>> => {
    const numbers = read.get(tensor) ?? numbersOf(tensor);
    read.set(tensor, numbers);
    return numbers;
  };
  await gradients(async (batch) => {
    const sums = await sumsOver(
      graph,
      groups,
      (elements, value) => {
        const gradient = batch.get(value);
        return each(elements, (weight, at) => weight * (gradient?.[at] ?? 0));
      },
      (member) => isWeight(graph, axes, member) && batch.has(member.axis.value),
      once,
    );
    for (const [at, units] of scores.entries())
      for (const unit of units.keys())
        units[unit] = (units[unit] as number) + (sums[at]?.[unit] ?? 0) ** 2;
  });
  // Losses compare as they are, also between groups. Where nothing was seen of one, it is as all are on average.
  const all = scores.flatMap((units) => [...units]);
  const mean = all.reduce((sum, score) => sum + score, 0) / all.length;
  return scores.map((units) =>
    Number.isFinite(mean) && units.some((score) => score > 0)
      ? units.map((score) => score / mean)
      : units.fill(1),
  );
}

/**
 * How large a channel is on average where it is read, times the norm of the weights that read it (Sun et al. 2023,
 * "Wanda", by channels). A mean, so it is one of sizes behind a ReLU; by magnitude where nothing was measured of a group.
 * Null where nothing was of any.
 */
export async function activationScores(
  graph: Graph,
  axes: ChannelAxes,
  groups: readonly Group[],
  activations: Activations,
  signal: AbortSignal | undefined,
): Promise<readonly Float64Array[] | null> {
  const wanted = new Map<string, Wanted>();
  const read = (member: Member): Wanted | undefined => {
    const { value, axis } = member.axis;
    const { type, body } = graph.value(value);
    const isFloat = type.kind === "tensor" && type.dtype === "float32";
    if (!isFloat || body !== graph.main.id || graph.constant(value) !== undefined) return undefined;
    return isSummed(graph, axes, member)
      ? { value, statistic: { kind: "channel-means", axis } }
      : undefined;
  };
  for (const { members } of groups)
    for (const member of members) {
      const one = read(member);
      if (one !== undefined) wanted.set(`${one.value}.${member.axis.axis}`, one);
    }
  if (wanted.size === 0) return null;
  const [others, { channelMeans }] = [
    await magnitudes(graph, axes, groups),
    await activations.observe(graph, [...wanted.values()], { pass: "prune", signal }),
  ];
  const norms = await sumsOver(graph, groups, squares, (member) => readsIt(graph, axes, member));
  return groups.map(({ members, units }, at) => {
    const means = new Float64Array(units);
    for (const member of members) {
      const seen = read(member) && channelMeans.get(member.axis.value)?.get(member.axis.axis);
      if (seen === undefined) continue;
      for (const [index, place] of member.places.entries()) {
        const unit = Math.floor(index / member.width);
        means[unit] = (means[unit] as number) + Math.abs(seen[place] ?? 0);
      }
    }
    if (means.every((mean) => mean === 0)) return others[at] ?? means;
    return normalized(means.map((mean, unit) => mean * Math.sqrt(norms[at]?.[unit] ?? 0)));
  });
}

/**
 * For each group the units that no weight reads: cutting them changes nothing. None where something else than weights sums
 * over the group, as a product of two activations does.
 */
export async function unreadUnits(
  graph: Graph,
  axes: ChannelAxes,
  groups: readonly Group[],
): Promise<readonly (readonly number[])[]> {
  const isReading = (member: Member): boolean => readsIt(graph, axes, member);
  const sums = await sumsOver(graph, groups, sizes, isReading);
  return groups.map(({ members }, at) => {
    const readers = new Set(
      members.filter(isReading).flatMap(({ axis }) => axes.ends(axis).map(({ node }) => node.id)),
    );
    const others = members
      .filter((member) => isSummed(graph, axes, member))
      .flatMap(({ axis }) => summingAt(graph, axes, axis));
    if (readers.size === 0 || others.some((id) => !readers.has(id))) return [];
    return [...(sums[at] ?? [])].flatMap((sum, unit) => (sum === 0 ? [unit] : []));
  });
}

/** 1 on average, so that groups of any size compare. */
function normalized(scores: Float64Array): Float64Array {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  return mean > 0 && Number.isFinite(mean) ? scores.map((score) => score / mean) : scores.fill(1);
}

/** For each group and unit the sum of what is made of the elements of its constants. Each constant is read once. */
async function sumsOver(
  graph: Graph,
  groups: readonly Group[],
  combine: (elements: ArrayLike<number>, value: ValueId) => ArrayLike<number>,
  counts: (member: Member) => boolean,
  numbers = numbersOf,
): Promise<readonly Float64Array[]> {
  const sums = groups.map(({ units }) => new Float64Array(units));
  const byValue = new Map<ValueId, { readonly member: Member; readonly into: Float64Array }[]>();
  for (const [at, { members }] of groups.entries())
    for (const member of members) {
      const into = sums[at];
      if (into === undefined || graph.constant(member.axis.value) === undefined) continue;
      if (!counts(member)) continue;
      const there = byValue.get(member.axis.value);
      if (there === undefined) byValue.set(member.axis.value, [{ member, into }]);
      else there.push({ member, into });
    }
  for (const [value, all] of byValue) {
    const tensor = graph.constant(value);
    if (tensor === undefined) continue;
    const elements = combine(await numbers(tensor), value);
    for (const { member, into } of all) addTo(into, elements, tensor.dims, member);
  }
  return sums;
}

async function numbersOf(tensor: Tensor): Promise<ArrayLike<number>> {
  return unpackNumbers({ type: tensor.dtype, dims: tensor.dims, data: await tensor.readArray() });
}

/** Adds to each unit the elements of its slices. */
function addTo(
  into: Float64Array,
  elements: ArrayLike<number>,
  dims: readonly number[],
  { axis, places, width }: Member,
): void {
  const inner = dims.slice(axis.axis + 1).reduce((all, size) => all * size, 1);
  const block = axis.size * inner;
  for (const [index, place] of places.entries()) {
    let sum = 0;
    for (let start = place * inner; start < elements.length; start += block)
      for (let at = start; at < start + inner; at += 1) sum += elements[at] as number;
    const unit = Math.floor(index / width);
    into[unit] = (into[unit] as number) + sum;
  }
}

/** Does an operator multiply with it? Biases and the numbers of norms say little of what a channel is worth. */
function isWeight(graph: Graph, axes: ChannelAxes, { axis }: Member): boolean {
  if (graph.constant(axis.value) === undefined) return false;
  return axes.ends(axis).some(({ node, port }) => {
    const row = operatorOf(node);
    return (
      row?.traits.macs !== undefined &&
      row.traits.weights?.some(({ input }) => input === port.index) === true
    );
  });
}

/** Does an operator sum over the channels here? */
function isSummed(graph: Graph, axes: ChannelAxes, { axis }: Member): boolean {
  return couplingsAt(graph, axes, axis).some(({ own }) => own.sums);
}

/**
 * Are these the weights with which an operator reads the channels? Where it gives them too, as a recurrent one does its
 * units, those that it sums over; the others make them.
 */
function readsIt(graph: Graph, axes: ChannelAxes, member: Member): boolean {
  return (
    isWeight(graph, axes, member) &&
    couplingsAt(graph, axes, member.axis).some(({ own, sumsUp }) => own.sums || sumsUp)
  );
}

/** The nodes that sum over the channels here. */
function summingAt(graph: Graph, axes: ChannelAxes, axis: Member["axis"]): readonly NodeId[] {
  return couplingsAt(graph, axes, axis).flatMap(({ own, node }) => (own.sums ? [node.id] : []));
}

function couplingsAt(graph: Graph, axes: ChannelAxes, axis: Member["axis"]) {
  return axes.ends(axis).flatMap(({ node, port }) => {
    const couplings = couplingsOf(graph, node);
    return couplings.flatMap(({ ties }) => {
      const own = ties.find(
        (tie) =>
          tie.axis === axis.axis && tie.port.side === port.side && tie.port.index === port.index,
      );
      const gives = ties.some(({ port: { side } }) => side === "output");
      const sumsUp = !gives && ties.some(({ sums }) => sums);
      return own === undefined ? [] : [{ own, node, sumsUp }];
    });
  });
}
