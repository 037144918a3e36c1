import type { Graph, TensorData, ValueId } from "../../../ir/index.js";
import { Observer } from "../../../quantize/observer.js";
import { activationSqnr, type RangeMethod, rangeOf } from "../../../quantize/range.js";
import { type Affine, affineOf, uint8Range } from "../../../quantize/scale.js";
import type { StaticPlan } from "./plan.js";

export interface ActivationParameters {
  readonly affine: Affine;
  /** Signal to rounding noise on the calibration samples, in dB. */
  readonly sqnr: number;
  /** Of its channels, where they were observed. */
  readonly channelMeans: Float64Array | undefined;
  /** The elements of a constant that is rounded like an activation. */
  readonly constant: Float32Array | null;
}

/** Scale and zero point of every planned activation, in the order of the plan. */
export async function activationParameters(
  graph: Graph,
  plan: StaticPlan,
  observers: ReadonlyMap<ValueId, Observer>,
  method: RangeMethod,
): Promise<ReadonlyMap<ValueId, ActivationParameters>> {
  const parameters = new Map<ValueId, ActivationParameters>();
  for (const [value, { sameAs }] of plan.activations) {
    const inherited = sameAs === null ? undefined : parameters.get(sameAs);
    if (inherited !== undefined) {
      parameters.set(value, { ...inherited, channelMeans: observers.get(value)?.channelMeans });
      continue;
    }
    const constant = floats(await graph.constant(value)?.read());
    const observer = observers.get(value) ?? observerOf(constant);
    const affine = affineOf(
      rangeOf(observer, constant === null ? method : "minmax", uint8Range),
      uint8Range,
    );
    parameters.set(value, {
      affine,
      channelMeans: observer.channelMeans,
      sqnr: activationSqnr(observer, affine, uint8Range),
      constant,
    });
  }
  return parameters;
}

function observerOf(constant: Float32Array | null): Observer {
  const observer = new Observer();
  if (constant !== null) observer.observe(constant);
  return observer;
}

function floats(data: TensorData | undefined): Float32Array | null {
  return data instanceof Float32Array ? data : null;
}
