import { edit, type Graph, Tensor } from "../ir/index.js";
import { denseOf } from "../ops/elements/dense.js";
import { valueAt } from "../ops/index.js";
import { couplingsOf } from "./couplings-of.js";
import type { ChannelAxes } from "./axes.js";
import { type GroupCut, stayingPlaces } from "./cut.js";

/**
 * Zeroes units wherever an operator sums over them, and leaves the model as large as it is: what `cutChannels` must
 * agree with, written the slow way.
 */
export function maskChannels(graph: Graph, axes: ChannelAxes, cuts: readonly GroupCut[]): void {
  const staying = stayingPlaces(cuts);
  edit(graph, "mask", (editor) => {
    for (const node of Array.from(graph.allNodes())) {
      const couplings = couplingsOf(graph, node);
      for (const { port, axis, sums } of couplings.flatMap(({ ties }) => ties)) {
        const reached = sums ? axes.known(node, port, axis) : undefined;
        const kept = reached && staying.get(reached);
        const value = valueAt(node, port);
        if (kept === undefined || reached === undefined || value === undefined) continue;
        const { type } = graph.value(value);
        if (type.kind !== "tensor" || type.shape === undefined || type.dtype === undefined)
          continue;
        const mask = new Float32Array(reached.size);
        for (const place of kept) mask[place] = 1;
        const dims = [reached.size, ...type.shape.slice(axis + 1).map(() => 1)];
        const { data } = denseOf(type.dtype, dims, mask);
        const body = graph.body(node.body);
        const constant = editor.constant("mask", Tensor.of(type.dtype, dims, data), body);
        const masked = editor.add1("Mul", [value, constant], {}, { body });
        editor.setInput(node.id, port.index, masked);
      }
    }
  });
}
