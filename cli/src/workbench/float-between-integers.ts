import { type Graph, type Node, operatorOf, wasRounded } from "@pare/compiler";

/** Fewer take no time that counts. */
const fewest = 4;

/**
 * What computes on floats that activations were made of integers for, as gates do, in a sentence: engines step from integers and
 * back for it. Null where there is little.
 */
export function floatBetweenIntegersText(graph: Graph): string | null {
  const counts = new Map<string, number>();
  for (const node of graph.allNodes())
    if (
      isElementwise(node) &&
      node.inputs.some((input) => input !== null && wasRounded(graph, input))
    )
      counts.set(node.op, (counts.get(node.op) ?? 0) + 1);
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (all < fewest) return null;
  const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, 3);
  const said = most.map(([op, count]) => `${count} × ${op}`).join(", ");
  const more = counts.size > most.length ? ", …" : "";
  return `Between layers on integers ${all} nodes compute on floats (${said}${more}): on a CPU that may cost more than integers save. pare optimize measures it.`;
}

function isElementwise(node: Node): boolean {
  const traits = operatorOf(node)?.traits;
  return traits?.elementwise === true && traits.quantization === undefined;
}
