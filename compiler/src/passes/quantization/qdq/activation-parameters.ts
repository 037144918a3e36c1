import { Observer } from "@pare/runtime/format";
import type { Graph, TensorData, ValueId } from "../../../ir/index.js";
import type { Observed, ObservedRange } from "../../../pipeline/activations.js";
import type { IntegerFormat } from "../../../quantize/format.js";
import { observedSqnr } from "../../../quantize/observed-range.js";
import { type Scale, scaleOf } from "../../../quantize/scale.js";
import { countableRange } from "./softmax-range.js";
import type { StaticPlan } from "./static-plan.js";

export interface ActivationParameters {
  readonly scale: Scale;
  /** Signal to rounding noise on the calibration samples, in dB; null where it was not observed. */
  readonly sqnr: number | null;
  /** Of its channels by their axis, where they were observed. */
  readonly channelMeans: ReadonlyMap<number, Float32Array> | undefined;
  /** The elements of a constant that is rounded like an activation. */
  readonly constant: Float32Array | null;
}

/** Scale and zero point of every planned activation, in the order of the plan. */
export async function activationParameters(
  graph: Graph,
  plan: StaticPlan,
  observed: Observed,
): Promise<ReadonlyMap<ValueId, ActivationParameters>> {
  const parameters = new Map<ValueId, ActivationParameters>();
  for (const [value, { source, sameAs, range: given }] of plan.activations) {
    const channelMeans = observed.channelMeans.get(value);
    const inherited = sameAs === null ? undefined : parameters.get(sameAs);
    if (inherited !== undefined) {
      parameters.set(value, { ...inherited, channelMeans });
      continue;
    }
    const constant = floats(await graph.constant(value)?.read());
    const range =
      constant === null ? observed.ranges.get(value) : rangeOfConstant(constant, plan.format);
    const steps = countableRange(graph, plan, source, given ?? range ?? { min: 0, max: 0 });
    parameters.set(value, {
      scale: scaleOf(steps, plan.format),
      channelMeans,
      sqnr: range?.sqnr ?? null,
      constant,
    });
  }
  return parameters;
}

function rangeOfConstant(constant: Float32Array, format: IntegerFormat): ObservedRange {
  const observer = new Observer();
  observer.observe(constant);
  const { range } = observer;
  return { ...range, sqnr: observedSqnr(observer, range, format) };
}

function floats(data: TensorData | undefined): Float32Array | null {
  return data instanceof Float32Array ? data : null;
}
