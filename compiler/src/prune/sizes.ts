import { PareError } from "@pare/runtime/format";
import { macsOfOperator, type SizesOf, sumOfBody } from "../analysis/macs.js";
import { nominalSizes } from "../analysis/nominal-sizes.js";
import { trainedTensors } from "../analysis/parameters.js";
import {
  type Graph,
  isStatic,
  type Node,
  type NodeId,
  shapeOf,
  type Tensor,
  type Value,
  type ValueId,
} from "../ir/index.js";
import { operatorOf } from "../ops/index.js";
import type { Group } from "./groups.js";

/** What a model is made smaller by. */
export type Measure = "macs" | "parameters" | "channels";

/** Places that are gone, by group and axis. */
interface Going {
  readonly group: number;
  readonly width: number;
  readonly axis: number;
}

/**
 * What a model costs when of each group so many units are left, counted as it would be of the model that is cut so.
 */
export class Sizes {
  /** Of each group, how many units are left. */
  readonly left: number[];
  readonly #graph: Graph;
  readonly #groups: readonly Group[];
  readonly #measure: Measure;
  readonly #costs = new Map<NodeId, number | null>();
  /** The trained numbers of each constant; none where its channels changed. */
  readonly #counts = new Map<ValueId, number>();
  #trained: ReturnType<typeof trainedTensors> | undefined;
  readonly #readers = new Map<number, readonly Node[]>();
  readonly #going = new Map<string, Going[]>();
  readonly #sizesOf: SizesOf;

  constructor(graph: Graph, groups: readonly Group[], measure: Measure) {
    this.#graph = graph;
    this.#groups = groups;
    this.#measure = measure;
    this.left = groups.map(({ units }) => units);
    for (const [group, { members }] of groups.entries())
      for (const { axis, width } of members) {
        const key = keyOf(axis.value, axis.use?.node, axis.use?.index);
        const there = this.#going.get(key);
        const going = { group, width, axis: axis.axis };
        if (there === undefined) this.#going.set(key, [going]);
        else there.push(going);
      }
    const free = nominalSizes(graph);
    this.#sizesOf = (id, node, input) => {
      const sizes = free(id);
      return (
        sizes &&
        this.#without(sizes, [
          ...(this.#going.get(keyOf(id)) ?? []),
          ...(input === null ? [] : (this.#going.get(keyOf(id, node, input)) ?? [])),
        ])
      );
    };
  }

  /** What the whole model costs; of channels, those that can be cut. @throws PareError UNSUPPORTED_OP where that cannot be counted */
  total(): number {
    switch (this.#measure) {
      case "macs":
        return this.#macs();
      case "parameters":
        return this.#parameters();
      case "channels":
        return this.#groups.reduce((sum, { width }, at) => sum + width * (this.left[at] ?? 0), 0);
      default:
        return this.#measure satisfies never;
    }
  }

  /** Lets a group have so many units. */
  set(group: number, units: number): void {
    if (this.left[group] === units) return;
    this.left[group] = units;
    for (const node of this.#readersOf(group)) this.#costs.delete(node.id);
    for (const { axis } of this.#groups[group]?.members ?? []) this.#counts.delete(axis.value);
  }

  /** The MACs of a node; null where they cannot be counted. */
  nodeMacs(node: Node): number | null {
    const known = this.#costs.get(node.id);
    if (known !== undefined) return known;
    const macs = macsOfOperator(this.#graph, node, this.#sizesOf);
    this.#costs.set(node.id, macs);
    return macs;
  }

  /** The MACs where a group's channels are made and read, whichever branch that is in; 0 where something else counts. */
  groupMacs(group: number): number {
    if (this.#measure !== "macs") return 0;
    return this.#readersOf(group).reduce((sum, node) => sum + (this.nodeMacs(node) ?? 0), 0);
  }

  #macs(): number {
    const macs = sumOfBody(this.#graph, this.#graph.main, (node) => this.nodeMacs(node));
    if (macs !== null) return macs;
    const uncounted = [...this.#graph.allNodes()].find((node) => this.nodeMacs(node) === null);
    const isOpen = this.#graph.main.inputs.some((id) => hasOpenSize(this.#graph, id));
    const why = isOpen ? "is not known" : "depends on what a run finds";
    throw new PareError(
      "UNSUPPORTED_OP",
      `The work of this model cannot be counted${uncounted === undefined ? "" : `: that of ${uncounted.op} ${why}`}.`,
      {
        ...(uncounted !== undefined && { where: this.#graph.nodeLabel(uncounted) }),
        hint: `Ask for a share of the parameters, with --keep-params${isOpen ? "; or give the inputs' sizes with --shape or --dim, which the file keeps then" : ""}.`,
      },
    );
  }

  #parameters(): number {
    this.#trained ??= trainedTensors(this.#graph);
    let total = 0;
    for (const { value, tensor } of this.#trained) {
      const count = this.#counts.get(value.id) ?? this.#countOf(value, tensor);
      this.#counts.set(value.id, count);
      total += count;
    }
    return total;
  }

  /** A vector that several nodes read counts once for each that has it cut, and once for all that do not. */
  #countOf({ id, uses }: Value, { dims }: Tensor): number {
    const shared = this.#without(dims, this.#going.get(keyOf(id)) ?? []);
    const counts = [...uses].map((use) => {
      const own =
        use.kind === "node" && this.#going.get(keyOf(id, this.#graph.node(use.node), use.index));
      return product(own === undefined || own === false ? shared : this.#without(shared, own));
    });
    const whole = product(shared);
    const cut = counts.filter((count) => count < whole);
    const rest = cut.length < counts.length || counts.length === 0 ? whole : 0;
    return cut.reduce((sum, count) => sum + count, rest);
  }

  #without(sizes: readonly number[], going: readonly Going[]): readonly number[] {
    if (going.length === 0) return sizes;
    const found = [...sizes];
    for (const { group, width, axis } of going) {
      const gone = (this.#groups[group]?.units ?? 0) - (this.left[group] ?? 0);
      found[axis] = (found[axis] ?? 0) - gone * width;
    }
    return found;
  }

  #readersOf(group: number): readonly Node[] {
    const known = this.#readers.get(group);
    if (known !== undefined) return known;
    const found = new Set<Node>();
    for (const { axis } of this.#groups[group]?.members ?? []) {
      const producer = this.#graph.producer(axis.value);
      const ends = producer === undefined ? [] : [producer];
      for (const node of [...ends, ...this.#graph.consumers(axis.value)])
        if (operatorOf(node)?.traits.macs !== undefined) found.add(node);
    }
    this.#readers.set(group, [...found]);
    return [...found];
  }
}

function keyOf(id: ValueId, node?: Node, index?: number): string {
  return node === undefined ? String(id) : `${id}.${node.id}.${index}`;
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}

/** MACs of a model whose free sizes count as `nominalSize` says; what is kept of one is said of these. */
export function countNominalMacs(graph: Graph): number {
  return new Sizes(graph, [], "macs").total();
}

/** How much of a model's work pruning can reach. */
export interface PrunableWork {
  /** Of one run, and what is left of it with one unit of each group. */
  readonly macs: number;
  readonly least: number;
  /** Of all nodes, whichever branch they are in, and of those that do less when channels go. */
  readonly all: number;
  readonly reached: number;
  /** The other nodes with work, and how much they do. */
  readonly others: readonly { readonly node: Node; readonly macs: number }[];
}

/** @throws PareError UNSUPPORTED_OP where the work cannot be counted */
export function prunableWork(graph: Graph, groups: readonly Group[]): PrunableWork {
  const sizes = new Sizes(graph, groups, "macs");
  const macs = sizes.total();
  const full = new Map([...graph.allNodes()].map((node) => [node, sizes.nodeMacs(node) ?? 0]));
  for (const group of groups.keys()) sizes.set(group, 1);
  let [reached, sum] = [0, 0];
  const others: { node: Node; macs: number }[] = [];
  for (const [node, all] of full) {
    sum += all;
    if ((sizes.nodeMacs(node) ?? 0) < all) reached += all;
    else if (all > 0) others.push({ node, macs: all });
  }
  return { macs, least: sizes.total(), all: sum, reached, others };
}

function hasOpenSize(graph: Graph, id: ValueId): boolean {
  const shape = shapeOf(graph, id);
  return shape === undefined || !isStatic(shape);
}
