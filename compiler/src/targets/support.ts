import { type Dtype, visibleLine } from "@pare/runtime/format";
import type { Graph, Node } from "../ir/index.js";
import type { Sizes } from "./sizes.js";
import type { Obstacle, Target } from "./target.js";

export interface TargetSupport {
  readonly target: Target["name"];
  readonly label: string;
  /** Empty where the target takes every node. */
  readonly obstacles: readonly Obstacle[];
  /** What its files settle that the model leaves open, in a sentence. */
  readonly assumption?: string;
}

/**
 * What stands against a target, with all reasons, those that concern most nodes first: by its table of every node, or by
 * what it says itself of the whole graph.
 */
export async function supportOf(
  graph: Graph,
  target: Target,
  sizes: Sizes = {},
): Promise<TargetSupport> {
  const { name, label } = target;
  const found = (await target.obstacles?.(graph, sizes)) ?? obstaclesOf(graph, target);
  const sorted = [...found].sort((a, b) => b.count - a.count || (a.op < b.op ? -1 : 1));
  const assumption = target.assumption?.(graph, sizes);
  return {
    target: name,
    label,
    obstacles: sorted,
    ...(assumption !== undefined && { assumption }),
  };
}

/** `2 × Gather: it computes with int64 (tokens, positions)` */
export function obstacleText({ op, count, reason, nodes }: Obstacle): string {
  const others = count > nodes.length ? ", …" : "";
  return visibleLine(`${count} × ${op}: ${reason} (${nodes.join(", ")}${others})`);
}

function obstaclesOf(graph: Graph, target: Target): readonly Obstacle[] {
  const obstacles = new Map<string, Obstacle>();
  for (const node of graph.allNodes()) {
    if (node.op === "Constant") continue; // every engine makes an initializer of it
    const verdict = target.supports(node.op, node.domain, inputTypes(graph, node));
    if (verdict.ok) continue;
    const key = `${node.domain}::${node.op}: ${verdict.why}`;
    const before = obstacles.get(key) ?? {
      of: "nodes",
      op: node.op,
      reason: verdict.why,
      count: 0,
      nodes: [],
    };
    const nodes = before.nodes.length < 3 ? [...before.nodes, graph.nodeLabel(node)] : before.nodes;
    obstacles.set(key, { ...before, count: before.count + 1, nodes });
  }
  return [...obstacles.values()];
}

function inputTypes(graph: Graph, node: Node): readonly (Dtype | undefined)[] {
  return node.inputs.map((id) => {
    if (id === null) return undefined;
    const { type } = graph.value(id);
    return type.kind === "tensor" ? type.dtype : undefined;
  });
}
