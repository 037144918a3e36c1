import { PareError } from "@pare/runtime/format";
import type { Graph, Node, ValueId } from "../ir/index.js";
import { type Port, valueAt } from "../ops/index.js";
import { ChannelSets } from "./channel-sets.js";

/** An axis of a value whose places are channels: numbered from `first` on. */
export interface ChannelAxis {
  readonly value: ValueId;
  /** The one reader for which this is, where the value is a constant that each reads for itself. */
  readonly use: { readonly node: Node; readonly index: number } | undefined;
  readonly axis: number;
  readonly size: number;
  readonly first: number;
}

/** More places than the widest models have; a file may say that an axis has any number. */
const mostPlaces = 2 ** 25;

/** The axes that were reached, and the sets of their places. */
export class ChannelAxes {
  readonly sets = new ChannelSets();
  readonly all: ChannelAxis[] = [];
  readonly #byPlace = new Map<string, ChannelAxis>();
  readonly #graph: Graph;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** The axis at a port where it was reached before. */
  known(node: Node, port: Port, axis: number): ChannelAxis | undefined {
    const id = valueAt(node, port);
    return id === undefined ? undefined : this.#byPlace.get(this.#key(id, node, port, axis));
  }

  /**
   * The axis at a port of a node, and whether it is new. Undefined where nothing is there, or its size is not a number.
   * @throws PareError MODEL_LIMIT
   */
  reach(
    node: Node,
    port: Port,
    axis: number,
  ): { readonly found: ChannelAxis; readonly isNew: boolean } | undefined {
    const id = valueAt(node, port);
    if (id === undefined) return undefined;
    const key = this.#key(id, node, port, axis);
    const known = this.#byPlace.get(key);
    if (known !== undefined) return { found: known, isNew: false };
    const { type } = this.#graph.value(id);
    const size = type.kind === "tensor" ? type.shape?.[axis] : undefined;
    if (typeof size !== "number") return undefined;
    if (this.sets.count + size > mostPlaces) {
      throw new PareError(
        "MODEL_LIMIT",
        `The channels of this model cannot be followed: there are more than ${mostPlaces} places.`,
        { where: this.#graph.nodeLabel(node), hint: "Leave pruning out of the recipe." },
      );
    }
    const own = port.side === "input" && isReadApart(this.#graph, id);
    const found: ChannelAxis = {
      value: id,
      use: own ? { node, index: port.index } : undefined,
      axis,
      size,
      first: this.sets.add(size),
    };
    this.#byPlace.set(key, found);
    this.all.push(found);
    return { found, isNew: true };
  }

  /** The nodes and positions that an axis is read or made at. */
  ends({ value, use }: ChannelAxis): readonly { readonly node: Node; readonly port: Port }[] {
    if (use !== undefined) return [{ node: use.node, port: { side: "input", index: use.index } }];
    const found: { node: Node; port: Port }[] = [];
    const producer = this.#graph.producer(value);
    if (producer !== undefined) {
      const index = producer.outputs.indexOf(value);
      found.push({ node: producer, port: { side: "output", index } });
    }
    for (const one of this.#graph.value(value).uses)
      if (one.kind === "node")
        found.push({ node: this.#graph.node(one.node), port: { side: "input", index: one.index } });
    return found;
  }

  #key(id: ValueId, node: Node, port: Port, axis: number): string {
    return port.side === "input" && isReadApart(this.#graph, id)
      ? `${id}.${node.id}.${port.index}.${axis}`
      : `${id}.${axis}`;
  }
}

/**
 * A constant of one number per channel is shared by chance, as equal biases are: each reader has it to itself, and gets
 * a copy where two are cut otherwise. Weights that are shared stay shared.
 */
function isReadApart(graph: Graph, id: ValueId): boolean {
  const tensor = graph.constant(id);
  return tensor !== undefined && Math.max(1, ...tensor.dims) === tensor.count;
}
