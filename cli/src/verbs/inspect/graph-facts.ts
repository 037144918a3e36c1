import { countMacs, countOperators, countParameters, type Graph } from "@pare/compiler";
import { isPareError } from "@pare/runtime/format";
import { simplified } from "../../workbench/simplified.js";

/** What a graph is made of. */
export interface GraphFacts {
  readonly opsets: Readonly<Record<string, number>>;
  readonly nodes: number;
  readonly operators: ReturnType<typeof countOperators>;
  readonly parameters: number;
  /** Null where a shape is free. */
  readonly macs: number | null;
}

/** @param form simplified, where it may not be so yet: sizes that exporters compute are known there */
export function graphFacts(graph: Graph, form: Graph | null): GraphFacts {
  return {
    opsets: Object.fromEntries(
      [...graph.header.opsets].map(([domain, version]) => [domain || "ai.onnx", version]),
    ),
    nodes: [...graph.allNodes()].length,
    operators: countOperators(graph),
    parameters: countParameters(graph),
    macs: countMacs(graph) ?? (form && countMacs(form)),
  };
}

/** Null where it cannot be simplified. */
export async function onceSimplified(graph: Graph): Promise<Graph | null> {
  try {
    return await simplified(graph);
  } catch (error) {
    if (isPareError(error) && error.code !== "INTERNAL") return null; // Other verbs say why it cannot be simplified.
    throw error;
  }
}
