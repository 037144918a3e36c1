import type { ValueId } from "../../ir/index.js";

/**
 * Which steps of sequences count. What is computed of a sequence step by step has its mask; elsewhere it is lost, and
 * TensorFlow.js and Keras do not agree on what comes after.
 */
export class Masks {
  readonly #masks = new Map<ValueId, ValueId>();
  readonly #lost = new Set<ValueId>();

  /** Booleans of [batch, steps]. */
  of(value: ValueId): ValueId | undefined {
    return this.#masks.get(value);
  }

  isLost(value: ValueId): boolean {
    return this.#lost.has(value);
  }

  isSomewhere(value: ValueId): boolean {
    return this.#masks.has(value) || this.#lost.has(value);
  }

  give(value: ValueId, mask: ValueId): void {
    this.#masks.set(value, mask);
  }

  /** What a layer gives that knows nothing of masks. */
  follow(kind: string, inputs: readonly ValueId[], outputs: readonly ValueId[]): void {
    const [first, ...more] = inputs;
    const mask = first === undefined ? undefined : this.of(first);
    const isKept = keeping.has(kind) && more.length === 0;
    const isSomewhere = inputs.some((value) => this.isSomewhere(value));
    for (const output of outputs) {
      if (this.#masks.has(output)) continue;
      if (isKept && mask !== undefined) this.give(output, mask);
      else if (isSomewhere) this.#lost.add(output);
    }
  }
}

/** Layers that do the same with every step. */
const keeping: ReadonlySet<string> = new Set([
  "Activation",
  "ActivityRegularization",
  "AlphaDropout",
  "BatchNormalization",
  "Dense",
  "Dropout",
  "ELU",
  "GaussianDropout",
  "GaussianNoise",
  "LayerNormalization",
  "LeakyReLU",
  "PReLU",
  "ReLU",
  "SpatialDropout1D",
  "ThresholdedReLU",
  "TimeDistributed",
]);
