import type { Graph } from "../ir/index.js";
import { nodeMacs } from "./macs.js";

export interface OperatorCount {
  readonly op: string;
  /** "" is ai.onnx. */
  readonly domain: string;
  readonly count: number;
  /** Of all of them together; null where a shape is free. */
  readonly macs: number | null;
}

/** Operators by how many nodes they have, most first; those inside subgraphs included. */
export function countOperators(graph: Graph): readonly OperatorCount[] {
  const rows = new Map<string, OperatorCount>();
  for (const node of graph.allNodes()) {
    const key = `${node.domain}::${node.op}`;
    const before = rows.get(key) ?? { op: node.op, domain: node.domain, count: 0, macs: 0 };
    const macs = nodeMacs(graph, node);
    rows.set(key, {
      ...before,
      count: before.count + 1,
      macs: macs === null || before.macs === null ? null : before.macs + macs,
    });
  }
  return [...rows.values()].sort((a, b) => b.count - a.count || (a.op < b.op ? -1 : 1));
}
