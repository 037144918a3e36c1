import { PareError } from "@pare/runtime/format";
import type { Graph, ValueId } from "../../../ir/index.js";
import type { Observed, Wanted } from "../../../pipeline/activations.js";
import type { PassContext } from "../../../pipeline/pass.js";
import type { ActivationRangeMethod } from "../../../quantize/observed-range.js";
import { canCorrectBias } from "./round-weights.js";
import type { StaticPlan } from "./static-plan.js";

interface Asked {
  readonly plan: StaticPlan;
  /** Its plan where nothing is left float but by its kind. */
  readonly beside: StaticPlan;
  readonly ranges: ActivationRangeMethod;
  readonly correctBias: boolean;
}

/**
 * What a plan needs to know of activations.
 * @param pass who asks, for messages
 * @throws PareError DATA_NOT_FOUND without calibration data, and as `Activations.observe`
 */
export async function observeActivations(
  graph: Graph,
  { plan, beside, ranges, correctBias }: Asked,
  pass: string,
  { activations, signal, onProgress }: Pick<PassContext, "activations" | "signal" | "onProgress">,
): Promise<Observed> {
  if (activations === undefined) {
    throw new PareError(
      "DATA_NOT_FOUND",
      `${pass} measures activations, but there is no data to measure them on.`,
      {
        where: pass,
        hint: "Give data with --data, or quantize without it: quantize-dynamic, quantize-weights.",
      },
    );
  }
  const scope = { ranges, correctBias };
  return activations.observe(graph, wantedOf(graph, plan, scope), {
    pass,
    beside: wantedOf(graph, beside, scope, true),
    signal,
    onProgress,
  });
}

/** @param own also of what has another one's range: with less of the graph quantized it may have its own */
function wantedOf(
  graph: Graph,
  plan: StaticPlan,
  { correctBias, ranges: method }: Pick<Asked, "correctBias" | "ranges">,
  own = false,
): readonly Wanted[] {
  const wanted: Wanted[] = [];
  for (const [value, { sameAs }] of plan.activations)
    if ((own || sameAs === null) && graph.constant(value) === undefined)
      wanted.push({ value, statistic: { kind: "range", method, format: plan.format } });
  if (correctBias) {
    for (const [value, axis] of channelAxes(plan))
      if (graph.constant(value) === undefined)
        wanted.push({ value, statistic: { kind: "channel-means", axis } });
  }
  return wanted;
}

/** Where the channels are whose means correct a bias. */
function channelAxes({ weighted }: StaticPlan): ReadonlyMap<ValueId, number> {
  return new Map(
    weighted
      .filter(canCorrectBias)
      .map(({ activation, linear }) => [activation, linear.inputChannels]),
  );
}
