import { isDecoded } from "../analysis/decoded.js";
import { type Graph, type Node, type NodeId, shapeOf } from "../ir/index.js";
import { attributeReader, type Coupling, operatorOf } from "../ops/index.js";
import type { ChannelAxes, ChannelAxis } from "./axes.js";
import type { Fixed } from "./channel-sets.js";
import { coupleAxes, type CoupledAxes, type Open } from "./coupled-axes.js";

/** The places of one axis that belong to a group, unit after unit: `width` places for each. */
export interface Member {
  readonly axis: ChannelAxis;
  readonly width: number;
  readonly places: Int32Array;
}

/**
 * Units that lie on the same axes: a layer's channels, the neurons between two products, the heads of an attention. A
 * unit is what can be cut: all its places on all members, or none.
 */
export interface Group {
  /** The weighted node that makes the channels. */
  readonly node: Node;
  readonly units: number;
  /** How many of its channels are a unit. */
  readonly width: number;
  /** They are the heads of an attention. */
  readonly heads: boolean;
  readonly members: readonly Member[];
}

/** A weighted node some of whose channels cannot be cut. */
export interface Blocked {
  readonly node: Node;
  readonly channels: number;
  readonly of: number;
  readonly reason: Fixed;
}

export interface Groups {
  readonly axes: ChannelAxes;
  readonly groups: readonly Group[];
  readonly blocked: readonly Blocked[];
}

/** All that can be cut from a model, and what cannot with the reason. Looks at every body; changes nothing. */
export function channelGroups(graph: Graph): Groups {
  const choices: MutableChoices = new Map();
  let coupled = coupleAxes(graph, choices);
  for (let round = 0; coupled.open.length > 0; round += 1) {
    choose(coupled, choices, round < mostRounds);
    coupled = coupleAxes(graph, choices);
  }
  const blocked = [...blockedOf(coupled), ...storedAsIntegers(graph)];
  return { axes: coupled.axes, groups: groupsOf(coupled), blocked };
}

type MutableChoices = Map<NodeId, Map<number, Coupling>>;

/** What one choice tells of the next goes so far; it goes through a layer's reshapes, not from layer to layer. */
const mostRounds = 8;

/**
 * Where a reshape takes channels apart they are cut by whole matrices, where each is multiplied by itself: by heads.
 * Else by what leaves more to choose from.
 * @param waits for others: what is behind an open choice may be such matrices, which is known when that is made
 */
function choose({ open, axes }: CoupledAxes, choices: MutableChoices, waits: boolean): void {
  const ranked = open.map((one) => ({ one, ...rank(axes, one) }));
  const isClear = waits && ranked.some(({ clear }) => clear);
  for (const { one, best, clear } of ranked) {
    if (best === undefined || (isClear && !clear)) continue;
    const known = choices.get(one.node.id) ?? new Map<number, Coupling>();
    choices.set(one.node.id, known.set(one.choice, best));
  }
}

/** The best of what a choice is between, and whether nothing that is still open can change that. */
function rank(
  axes: ChannelAxes,
  { options }: Open,
): { readonly best: Coupling | undefined; readonly clear: boolean } {
  const worths = options.map(({ coupling, axes: tied }) => ({
    coupling,
    worth: worth(axes, { coupling, axes: tied }),
  }));
  const [best, second] = worths.sort((a, b) => b.worth - a.worth);
  return { best: best?.coupling, clear: best?.worth === Infinity || second?.worth === 0 };
}

function worth({ sets }: ChannelAxes, { axes }: Open["options"][number]): number {
  let least = Infinity;
  let stacked = false;
  for (const { first, size } of axes) {
    let free = 0;
    for (let place = first; place < first + size; place += 1) {
      if (sets.fixedBy(place) === undefined) free += 1;
      stacked ||= sets.isStacked(place);
    }
    least = Math.min(least, free);
  }
  return least === 0 ? 0 : stacked ? Infinity : least;
}

/** The sets that may be cut, each with the axes it lies on; those on the same axes are a group. */
function groupsOf({ axes, seeds }: CoupledAxes): readonly Group[] {
  const { sets } = axes;
  const places = new Map<number, Map<ChannelAxis, number[]>>();
  for (const axis of axes.all) {
    for (let at = 0; at < axis.size; at += 1) {
      if (sets.fixedBy(axis.first + at) !== undefined) continue;
      const set = sets.find(axis.first + at);
      const there = places.get(set) ?? new Map<ChannelAxis, number[]>();
      places.set(set, there);
      const own = there.get(axis);
      if (own === undefined) there.set(axis, [at]);
      else own.push(at);
    }
  }
  const alike = new Map<string, Map<ChannelAxis, number[]>[]>();
  for (const unit of places.values()) {
    const key = [...unit].map(([axis, own]) => `${axis.first}x${own.length}`).join();
    const there = alike.get(key);
    if (there === undefined) alike.set(key, [unit]);
    else there.push(unit);
  }
  return [...alike.values()].flatMap((units) => {
    const [first] = units;
    const seed = [...(first?.keys() ?? [])].find((axis) => seeds.has(axis));
    const node = seed && seeds.get(seed);
    if (first === undefined || seed === undefined || node === undefined) return [];
    const members = [...first].map(([axis, own]): Member => {
      const all = units.flatMap((unit) => unit.get(axis) ?? []);
      return { axis, width: own.length, places: Int32Array.from(all) };
    });
    const own = first.get(seed) ?? [];
    const heads = sets.isStacked(seed.first + (own[0] ?? 0));
    return [{ node, units: units.length, width: own.length, heads, members }];
  });
}

function blockedOf({ axes, seeds }: CoupledAxes): readonly Blocked[] {
  const found: Blocked[] = [];
  for (const [{ first, size }, node] of seeds) {
    let channels = 0;
    let reason: Fixed | undefined;
    for (let place = first; place < first + size; place += 1) {
      const fixed = axes.sets.fixedBy(place);
      if (fixed === undefined) continue;
      channels += 1;
      reason ??= fixed;
    }
    if (reason !== undefined) found.push({ node, channels, of: size, reason });
  }
  return found;
}

/** What a channel of integers is worth is not told by them, and a model is pruned before it is quantized. */
function storedAsIntegers(graph: Graph): readonly Blocked[] {
  const why = "its weights are stored as integers; prune the float model, then quantize it";
  return [...graph.allNodes()].flatMap((node): readonly Blocked[] => {
    const { linear, weights } = operatorOf(node)?.traits ?? {};
    const weight = linear === undefined ? undefined : node.inputs[linear.weight];
    if (weight === undefined || weight === null || !isDecoded(graph, weight)) return [];
    const shape = shapeOf(graph, weight) ?? [];
    const at = weights
      ?.find(({ input }) => input === linear?.weight)
      ?.channelAxis(shape.length, attributeReader(node.attributes));
    const size = at === undefined ? undefined : shape.at(at);
    const channels = typeof size === "number" ? size : 1;
    return [{ node, channels, of: channels, reason: { why, node: "" } }];
  });
}
