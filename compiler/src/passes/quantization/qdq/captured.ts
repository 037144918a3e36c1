import { captures, type Graph, type ValueId } from "../../../ir/index.js";
import { movesExactly, operatorOf } from "../../../ops/index.js";
import type { PlannedActivation } from "./static-plan.js";

/**
 * Rounds again, in the same steps, what bodies read of what was rounded and then moved. onnxruntime (to 1.31) looks for who
 * reads what it moves a DequantizeLinear behind among its explicit inputs alone, and ends its process where a body reads it;
 * of what is rounded behind that it moves none.
 */
export function withCaptured(
  graph: Graph,
  planned: ReadonlyMap<ValueId, PlannedActivation>,
): ReadonlyMap<ValueId, PlannedActivation> {
  const all = new Map(planned);
  for (const body of graph.allBodies())
    for (const value of body === graph.main ? [] : captures(graph, body)) {
      const origin = roundedOrigin(graph, value, all);
      if (origin !== undefined) all.set(value, { source: value, sameAs: origin, readers: "all" });
    }
  return all;
}

/** What a value is moved from that is rounded for all readers; undefined where it is so itself, or nothing is. */
function roundedOrigin(
  graph: Graph,
  value: ValueId,
  planned: ReadonlyMap<ValueId, PlannedActivation>,
): ValueId | undefined {
  for (let at = value; planned.get(at)?.readers !== "all";) {
    const mover = graph.producer(at);
    const [input] = mover?.inputs ?? [];
    if (!movesExactly(mover && operatorOf(mover)?.traits.dataMovement)) return undefined;
    if (mover?.outputs[0] !== at || input === null || input === undefined) return undefined;
    if (planned.get(input)?.readers === "all") return input;
    at = input;
  }
  return undefined;
}
