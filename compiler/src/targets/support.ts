import type { Dtype } from "@pare/runtime/format";
import type { Graph, Node } from "../ir/index.js";
import type { Target } from "./target.js";

/** Why a target cannot take, or does not accelerate, some of a model's nodes. */
export interface Obstacle {
  readonly op: string;
  readonly reason: string;
  readonly count: number;
  /** Labels of nodes, at most three. */
  readonly nodes: readonly string[];
}

export interface TargetSupport {
  readonly target: Target["name"];
  readonly label: string;
  /** Empty where the target takes every node. */
  readonly obstacles: readonly Obstacle[];
}

/** What a target's table says of every node, with all reasons, those that concern most nodes first. */
export function supportOf(graph: Graph, target: Target): TargetSupport {
  const obstacles = new Map<string, Obstacle>();
  for (const node of graph.allNodes()) {
    if (node.op === "Constant") continue; // every engine makes an initializer of it
    const verdict = target.supports(node.op, node.domain, inputTypes(graph, node));
    if (verdict.ok) continue;
    const key = `${node.domain}::${node.op}: ${verdict.why}`;
    const before = obstacles.get(key) ?? { op: node.op, reason: verdict.why, count: 0, nodes: [] };
    const nodes = before.nodes.length < 3 ? [...before.nodes, graph.nodeLabel(node)] : before.nodes;
    obstacles.set(key, { ...before, count: before.count + 1, nodes });
  }
  const sorted = [...obstacles.values()].sort(
    (a, b) => b.count - a.count || (a.op < b.op ? -1 : 1),
  );
  return { target: target.name, label: target.label, obstacles: sorted };
}

function inputTypes(graph: Graph, node: Node): readonly (Dtype | undefined)[] {
  return node.inputs.map((id) => {
    if (id === null) return undefined;
    const { type } = graph.value(id);
    return type.kind === "tensor" ? type.dtype : undefined;
  });
}
