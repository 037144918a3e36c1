import type { Graph, Node, NodeId } from "../ir/index.js";
import { channelNode, type Coupling, operatorOf, type Port, type Tie } from "../ops/index.js";
import { ChannelAxes, type ChannelAxis } from "./axes.js";
import { couplingsOf } from "./couplings-of.js";
import { readsSize } from "./reads-size.js";

/** For a node with couplings that exclude each other: by the number of their choice, the one that holds. */
export type Choices = ReadonlyMap<NodeId, ReadonlyMap<number, Coupling>>;

/** A choice that was met, and the axes on which its couplings would tie places together. */
export interface Open {
  readonly node: Node;
  readonly choice: number;
  readonly options: readonly {
    readonly coupling: Coupling;
    readonly axes: readonly ChannelAxis[];
  }[];
}

/** What was found by following channels from weights through a graph. */
export interface CoupledAxes {
  readonly axes: ChannelAxes;
  /** By axis, the weighted node at whose output it began. */
  readonly seeds: ReadonlyMap<ChannelAxis, Node>;
  readonly open: readonly Open[];
}

/** The couplings of a node, and at which of its axes each stands. */
interface Coupled {
  readonly at: ReadonlyMap<string, readonly Coupling[]>;
  readonly done: Set<Coupling>;
}

const placeOf = ({ side, index }: Port, axis: number): string => `${side}.${index}.${axis}`;

/**
 * Follows channels from where weights make them, over every coupling that an axis stands in, until nothing is new. What
 * stands in none, comes from outside, or goes there, is fixed.
 * @param choices where couplings exclude each other and it is not said which holds none does, and all that they would tie is
 *   followed
 */
export function coupleAxes(graph: Graph, choices: Choices): CoupledAxes {
  const following = new Following(graph, choices);
  for (const node of graph.allNodes()) following.seed(node);
  return following;
}

class Following implements CoupledAxes {
  readonly axes: ChannelAxes;
  readonly seeds = new Map<ChannelAxis, Node>();
  readonly open: Open[] = [];
  readonly #graph: Graph;
  readonly #choices: Choices;
  readonly #nodes = new Map<NodeId, Coupled>();
  readonly #waiting: { readonly node: Node; readonly port: Port; readonly found: ChannelAxis }[] =
    [];

  constructor(graph: Graph, choices: Choices) {
    this.#graph = graph;
    this.#choices = choices;
    this.axes = new ChannelAxes(graph);
  }

  /** Begins with the channels that a node's constant weights make. */
  seed(node: Node): void {
    for (const axis of weightAxes(this.#graph, node)) {
      const [made] = this.#coupled(node).at.get(placeOf(axis.port, axis.axis)) ?? [];
      if (made === undefined) continue;
      const { found } = this.#reach(node, axis) ?? {};
      if (found !== undefined && !this.seeds.has(found)) this.seeds.set(found, node);
    }
    this.#follow();
  }

  #follow(): void {
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) {
      const { node, port, found } = next;
      const coupled = this.#coupled(node);
      const couplings = coupled.at.get(placeOf(port, found.axis)) ?? [];
      const isAskedOnly = node.op === "Shape" && !readsSize(this.#graph, node, found.axis);
      if (couplings.length === 0 && !isAskedOnly) this.#fix(found, this.#whyNot(node), node);
      for (const coupling of couplings) {
        if (coupled.done.has(coupling)) continue;
        coupled.done.add(coupling);
        this.#tie(node, coupling);
      }
    }
  }

  #tie(node: Node, coupling: Coupling): void {
    const { choice } = coupling;
    const chosen = choice === undefined ? coupling : this.#chosen(node, choice, coupling);
    if (chosen !== undefined && chosen !== coupling) {
      const why = `${node.op} takes its channels apart, and they are cut another way`;
      for (const { port, axis } of coupling.ties) {
        if (chosen.ties.some((tie) => placeOf(tie.port, tie.axis) === placeOf(port, axis)))
          continue;
        const { found } = this.#reach(node, { port, axis }) ?? {};
        if (found !== undefined) this.#fix(found, why, node);
      }
      return;
    }
    const ties = coupling.ties.flatMap((tie) => {
      const { found } = this.#reach(node, tie) ?? {};
      return found === undefined ? [] : [{ tie, found }];
    });
    // A tensor whose size is not known cannot be cut along.
    if (ties.length < coupling.ties.length)
      for (const { found } of ties)
        this.#fix(
          found,
          `not all sizes at ${node.op} are known; --shape and --dim give them`,
          node,
        );
    if (chosen === undefined) return;
    this.#join(node, ties);
    if (coupling.stacks === true)
      for (const { found } of ties)
        for (let at = 0; at < found.size; at += 1) this.axes.sets.markStacked(found.first + at);
  }

  #join(node: Node, ties: readonly { readonly tie: Tie; readonly found: ChannelAxis }[]): void {
    const { sets } = this.axes;
    const first = new Map<number, number>();
    for (const { tie, found } of ties) {
      for (let at = 0; at < found.size; at += 1) {
        const channel = tie.channelOf(at);
        const place = found.first + at;
        const known = first.get(channel);
        if (channel < 0)
          sets.fix(place, {
            why: `${node.op} puts something else between its channels, or takes one out`,
            node: this.#graph.nodeLabel(node),
          });
        else if (known === undefined) first.set(channel, place);
        else sets.join(known, place);
      }
    }
  }

  /** Which of the couplings that exclude each other holds; undefined where that is not yet decided. */
  #chosen(node: Node, choice: number, coupling: Coupling): Coupling | undefined {
    const options = [...new Set([...this.#coupled(node).at.values()].flat())].filter(
      (one) => one.choice === choice,
    );
    if (options.length < 2) return coupling;
    const made = this.#choices.get(node.id)?.get(choice);
    if (made !== undefined) return options[indexOf(options, made)] ?? coupling;
    if (this.open.some((one) => one.node === node && one.choice === choice)) return undefined;
    this.open.push({
      node,
      choice,
      options: options.map((option) => ({
        coupling: option,
        axes: option.ties.flatMap((tie) => this.#reach(node, tie)?.found ?? []),
      })),
    });
    return undefined;
  }

  #coupled(node: Node): Coupled {
    const known = this.#nodes.get(node.id);
    if (known !== undefined) return known;
    const at = new Map<string, Coupling[]>();
    const couplings = couplingsOf(this.#graph, node);
    for (const coupling of couplings) {
      for (const { port, axis } of coupling.ties) {
        const place = placeOf(port, axis);
        const there = at.get(place);
        if (there === undefined) at.set(place, [coupling]);
        else if (!there.includes(coupling)) there.push(coupling);
      }
    }
    const coupled = { at, done: new Set<Coupling>() };
    this.#nodes.set(node.id, coupled);
    return coupled;
  }

  #reach(
    node: Node,
    { port, axis }: Pick<Tie, "port" | "axis">,
  ): { readonly found: ChannelAxis; readonly isNew: boolean } | undefined {
    const reached = this.axes.reach(node, port, axis);
    if (reached?.isNew === true) this.#spread(reached.found);
    return reached;
  }

  #spread(found: ChannelAxis): void {
    const { uses, isInput } = this.#graph.value(found.value);
    if (isInput) this.#fix(found, "they come from an input");
    if (uses.isOutput) this.#fix(found, "they go to an output");
    for (const { node, port } of this.axes.ends(found)) this.#waiting.push({ node, port, found });
  }

  #fix(found: ChannelAxis, why: string, node?: Node): void {
    const reason = { why, node: node === undefined ? "" : this.#graph.nodeLabel(node) };
    for (let at = 0; at < found.size; at += 1) this.axes.sets.fix(found.first + at, reason);
  }

  #whyNot(node: Node): string {
    if (operatorOf(node)?.channels === undefined)
      return `nothing is known of channels in ${node.op}`;
    const shape = operatorOf(node)?.traits.dataMovement === "reshapes" ? node.inputs[1] : undefined;
    if (shape !== undefined && shape !== null && this.#graph.constant(shape) === undefined)
      return `${node.op} gives them a shape that is computed; --shape and --dim may fix it`;
    return `${node.op} does not keep them apart`;
  }
}

/** The axes of a node's constant weights along which its outputs lie, where each output has its own slice. */
function weightAxes(graph: Graph, node: Node): readonly Pick<Tie, "port" | "axis">[] {
  const row = operatorOf(node);
  if (row?.traits.weights === undefined || row.channels === undefined) return [];
  const view = channelNode(graph, node);
  return row.channels.couplings(view).flatMap(({ ties }) => {
    if (!ties.some(({ port }) => port.side === "output")) return [];
    const weight = ties.find(
      ({ port }) =>
        port.side === "input" &&
        view.isConstant(port.index) &&
        row.traits.weights?.some(({ input }) => input === port.index) === true,
    );
    return weight === undefined ? [] : [{ port: weight.port, axis: weight.axis }];
  });
}

/** The same coupling of another following: by what it ties. */
function indexOf(options: readonly Coupling[], wanted: Coupling): number {
  return Math.max(
    0,
    options.findIndex((option) => tiedText(option) === tiedText(wanted)),
  );
}

function tiedText({ ties }: Coupling): string {
  return ties.map(({ port, axis }) => placeOf(port, axis)).join();
}
