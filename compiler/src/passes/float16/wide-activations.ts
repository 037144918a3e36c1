import type { Graph, NodeId, ValueId } from "../../ir/index.js";
import type { Wanted } from "../../pipeline/activations.js";
import type { PassContext } from "../../pipeline/pass.js";
import { largestHalf, leastWholeHalf } from "../../quantize/half.js";
import { uint8Activations } from "../../quantize/format.js";
import { dtypeOf } from "../../rules/pattern.js";

/** Half of what float16 holds: other samples may reach further than those that were looked at. */
const widest = largestHalf / 2;

/**
 * Nodes of the main graph that read or give activations which on the calibration samples come near to what float16 holds, or
 * are smaller throughout than what it has all digits of, and what to say of each. Nothing where there are no samples.
 * @param leastMask from so far below zero it is what a mask made, which the smallest number of float16 does too
 */
export async function wideActivations(
  graph: Graph,
  { activations, signal, onProgress }: PassContext,
  leastMask: number,
): Promise<ReadonlyMap<NodeId, string>> {
  const nodes = new Map<NodeId, string>();
  if (activations === undefined) return nodes;
  const values = [...floatsIn(graph)];
  if (values.length === 0) return nodes;
  const wanted = values.map((value): Wanted => ({
    value,
    statistic: { kind: "range", method: "minmax", format: uint8Activations },
  }));
  const { ranges } = await activations.observe(graph, wanted, {
    pass: "fp16",
    optional: true,
    signal,
    onProgress,
  });
  for (const value of values) {
    const { min = 0, max = 0 } = ranges.get(value) ?? {};
    const reaches = Math.max(max, min > -leastMask ? -min : 0);
    const isSmall = reaches > 0 && reaches < leastWholeHalf;
    if (reaches <= widest && !isSmall) continue;
    const { name, uses } = graph.value(value);
    const limit = isSmall
      ? `has all digits from ${leastWholeHalf.toPrecision(3)} on alone`
      : `ends at ${largestHalf}`;
    const why = `${name} reaches ${reaches.toPrecision(3)}, and float16 ${limit}`;
    const maker = graph.producer(value);
    if (maker !== undefined) nodes.set(maker.id, why);
    for (const use of uses) if (use.kind === "node") nodes.set(use.node, why);
  }
  return nodes;
}

function* floatsIn(graph: Graph): Iterable<ValueId> {
  yield* graph.main.inputs.filter((input) => dtypeOf(graph, input) === "float32");
  for (const { outputs } of graph.order())
    for (const output of outputs)
      if (output !== null && dtypeOf(graph, output) === "float32") yield output;
}
