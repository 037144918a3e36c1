import { lanesOf, type Observation, Observer } from "../tensor/observer.js";
import type { TypedArray } from "../tensor/dtype.js";
import { isTypedArray, type Tensors } from "../tensor/tensor.js";

/** What is wanted of an output over many samples. */
export interface Reduction {
  readonly output: string;
  /**
   * `histogram`: of all elements. The others: of each element by itself, over the samples; the output has as many
   * elements for every sample. `ends`: the smallest of those in the first half, the largest of those in the second.
   */
  readonly by: "histogram" | "min" | "max" | "ends" | "sum";
}

type Fold = Exclude<Reduction["by"], "histogram">;

/** What came of a reduction, as data that can be sent. */
export type Reduced =
  | { readonly by: "histogram"; readonly observation: Observation }
  /** Null before the first sample. */
  | { readonly by: Fold; readonly numbers: Float64Array | null };

export interface ReduceOptions {
  readonly signal?: AbortSignal | undefined;
  /** How many samples were run so far; called every second or so, more often where samples are slow. */
  readonly onSamples?: ((done: number) => void) | undefined;
}

const bins = 2048;

/** Reduces outputs as they come. Sums are taken in this order, so that they are the same at every run. */
export class Reducer {
  readonly #reductions: readonly Reduction[];
  readonly #observers: readonly (Observer | undefined)[];
  readonly #numbers: (Float64Array | undefined)[];

  constructor(reductions: readonly Reduction[]) {
    this.#reductions = reductions;
    const isAny = reductions.some(({ by }) => by === "histogram");
    const lanes = isAny ? lanesOf(bins) : undefined;
    this.#observers = reductions.map(({ by }) =>
      by === "histogram" ? new Observer(bins, lanes) : undefined,
    );
    this.#numbers = reductions.map(() => undefined);
  }

  /** The outputs of a run. One that is not there, or holds no numbers, is left out. */
  add(outputs: Tensors): void {
    for (const [index, { output, by }] of this.#reductions.entries()) {
      const data = outputs[output]?.data;
      if (!isTypedArray(data)) continue;
      if (by !== "histogram") this.#fold(index, by, data);
      else if (data instanceof Float32Array) this.#observers[index]?.observe(data);
      else this.#observers[index]?.observe(Float64Array.from(data, Number));
    }
  }

  get reduced(): readonly Reduced[] {
    return this.#reductions.map(({ by }, index) =>
      by === "histogram"
        ? { by, observation: (this.#observers[index] ?? new Observer()).observation }
        : { by, numbers: this.#numbers[index] ?? null },
    );
  }

  #fold(index: number, by: Fold, data: TypedArray): void {
    const numbers = this.#numbers[index];
    if (numbers === undefined) {
      this.#numbers[index] = Float64Array.from<number | bigint>(data, Number);
      return;
    }
    const smallest = by === "min" ? numbers.length : by === "ends" ? numbers.length / 2 : 0;
    for (let i = 0; i < numbers.length; i += 1) {
      const a = numbers[i] as number;
      const b = Number(data[i]);
      numbers[i] = by === "sum" ? a + b : i < smallest ? Math.min(a, b) : Math.max(a, b);
    }
  }
}
