import type { Graph, Node } from "../ir/index.js";
import type { Port } from "../ops/index.js";
import type { ChannelAxes } from "./axes.js";
import { couplingsOf } from "./couplings-of.js";
import { type GroupCut, stayingPlaces } from "./cut.js";

/** A node that sums over channels of which some go. */
export interface Consumer {
  readonly node: Node;
  /** What of its result stays, where of an axis not all does. */
  readonly kept: readonly { readonly axis: number; readonly places: readonly number[] }[];
}

/** In order of execution, of the main graph as it is before the cut. */
export function consumersOf(
  graph: Graph,
  axes: ChannelAxes,
  cuts: readonly GroupCut[],
): readonly Consumer[] {
  const staying = stayingPlaces(cuts);
  return graph.order().flatMap((node) => {
    const couplings = couplingsOf(graph, node);
    const placesOn = (port: Port, axis: number): readonly number[] | undefined => {
      const known = axes.known(node, port, axis);
      return known && staying.get(known);
    };
    const ties = couplings.flatMap((coupling) => coupling.ties);
    if (!ties.some(({ port, axis, sums }) => sums && placesOn(port, axis) !== undefined)) return [];
    const kept = new Map<number, readonly number[]>();
    for (const { port, axis } of ties) {
      const places = port.side === "output" && port.index === 0 ? placesOn(port, axis) : undefined;
      if (places !== undefined) kept.set(axis, places);
    }
    return [{ node, kept: [...kept].map(([axis, places]) => ({ axis, places })) }];
  });
}
