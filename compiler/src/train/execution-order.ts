import { dependencies, type Graph, type Node, type NodeId } from "../ir/index.js";

/**
 * The nodes that no other reads, in the order in which they are to be a file's last ones: the one that needs the longest
 * chain of others first. onnxruntime runs all that the last of them needs, then what the one before needs besides. In the
 * order in which a training step comes about, that is all cotangents first, which are kept until the products with them,
 * most gradients of weights, end the run one after the other. In this order a gradient is taken as soon as it can be: its
 * cotangent is still in the cache, and its memory is free for the next one.
 */
export function lastToWrite(graph: Graph): readonly Node[] {
  const lengths = new Map<NodeId, number>();
  for (const node of graph.order()) {
    let longest = 0;
    for (const id of dependencies(graph, node)) {
      const { producer } = graph.value(id);
      if (producer !== null) longest = Math.max(longest, lengths.get(producer) ?? 0);
    }
    lengths.set(node.id, 1 + longest);
  }
  const length = ({ id }: Node): number => lengths.get(id) ?? 0;
  return graph
    .order()
    .filter((node) => isEnd(graph, node))
    .sort((a, b) => length(b) - length(a));
}

function isEnd(graph: Graph, { outputs }: Node): boolean {
  return outputs.every(
    (id) =>
      id === null ||
      [...graph.value(id).uses].every((use) => use.kind === "output" && use.body === graph.main.id),
  );
}
