import type { SampleSet, SplitName } from "@pare/runtime/format";
import type { Scorer } from "../metrics/scorer.js";
import { tells, type Scored } from "./accuracy.js";
import { firstOf, sampleOrder } from "./sample-order.js";

interface LookedAtOptions {
  readonly samples: SampleSet;
  readonly splits: Readonly<Record<SplitName, readonly number[]>>;
  readonly seed: number;
}

/** Which samples of a split are looked at, where so many of them are asked for: the same ones for all models. */
export class LookedAt {
  readonly #samples: SampleSet;
  readonly #orders: Readonly<Record<SplitName, readonly number[]>>;
  /** By split, how few samples the float model's metric was a number on: on two of one class, an auc is none. */
  readonly #told = new Map<SplitName, number>();
  /** As many are looked at, at least: on half of them it was none. */
  readonly #least = new Map<SplitName, number>();

  constructor({ samples, splits, seed }: LookedAtOptions) {
    this.#samples = samples;
    this.#orders = {
      calibration: sampleOrder(splits.calibration, seed, samples),
      validation: sampleOrder(splits.validation, seed, samples),
      test: sampleOrder(splits.test, seed, samples),
    };
  }

  /** All of a split, in the order in which they are looked at. */
  all(split: SplitName): readonly number[] {
    return this.#orders[split];
  }

  /** At least so many of a split, from its first on. */
  first(split: SplitName, count: number): readonly number[] {
    const least = Math.max(count, this.#least.get(split) ?? 0);
    return firstOf(this.#orders[split], least, this.#samples);
  }

  /**
   * The same, and as many more as the metric of the float model needs to be a number.
   * @param predict what the float model says to them
   */
  async telling(
    split: SplitName,
    count: number,
    scorer: Scorer,
    predict: (indexes: readonly number[]) => Promise<Scored>,
  ): Promise<{ readonly indexes: readonly number[]; readonly float: Scored }> {
    let indexes = this.first(split, count);
    let float = await predict(indexes);
    const told = this.#told.get(split) ?? Infinity;
    while (indexes.length < told && !(await tells(scorer, float))) {
      if (indexes.length === this.#orders[split].length) break;
      this.#least.set(split, 2 * indexes.length);
      indexes = this.first(split, count);
      float = await predict(indexes);
    }
    this.#told.set(split, Math.min(told, indexes.length));
    return { indexes, float };
  }
}
