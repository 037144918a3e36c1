import type { ValueId } from "../../ir/index.js";
import type { LearnedArray } from "../../train/training-state.js";
import type { ActivationParameters } from "../quantization/qdq/activation-parameters.js";
import type { StaticPlan } from "../quantization/qdq/static-plan.js";
import type { FakeQuantized, LearnedScales } from "./fake-quantized.js";

/** What a training made of the scales of a fake-quantized graph. */
export class ScaleReader {
  readonly #exponents: ReadonlyMap<ValueId, Float32Array>;

  constructor(learned: readonly LearnedArray[]) {
    this.#exponents = new Map(learned.map(({ constant, values }) => [constant.value, values]));
  }

  /** By the key of a group of weights. */
  weights({ weights }: FakeQuantized): ReadonlyMap<string, Float32Array> {
    return new Map([...weights].map(([key, scales]) => [key, this.#scales(scales)]));
  }

  /** The parameters with their learned scales; zero points stay. */
  activations(
    { activations }: FakeQuantized,
    plan: StaticPlan,
    before: ReadonlyMap<ValueId, ActivationParameters>,
  ): ReadonlyMap<ValueId, ActivationParameters> {
    const after = new Map<ValueId, ActivationParameters>();
    for (const [value, parameters] of before) {
      const own = activations.get(value);
      const other = plan.activations.get(value)?.sameAs ?? null;
      const inherited = other === null ? undefined : after.get(other)?.scale;
      const scale =
        own === undefined
          ? (inherited ?? parameters.scale)
          : { ...parameters.scale, scale: this.#scales(own)[0] ?? parameters.scale.scale };
      after.set(value, { ...parameters, scale });
    }
    return after;
  }

  /** As the graph computes them, in float32. */
  #scales({ constant, start }: LearnedScales): Float32Array {
    const exponents = this.#exponents.get(constant.value);
    return start.map((scale, index) => scale * Math.fround(Math.exp(exponents?.[index] ?? 0)));
  }
}
