/**
 * The moving average of weights, which is often more right than the last of them: a ← d·a + (1 − d)·w. Early on the
 * past weighs less, d = min(decay, (1 + t) / (10 + t)), so that the beginning is soon forgotten (Polyak and Juditsky
 * 1992; the ramp is TensorFlow's `ExponentialMovingAverage`).
 */
export class MovingAverage {
  readonly averages: readonly Float32Array[];
  readonly #values: readonly Float32Array[];
  readonly #decay: number;

  /** @param values what is averaged; they start as their own average */
  constructor(values: readonly Float32Array[], decay: number) {
    this.#values = values;
    this.#decay = decay;
    this.averages = values.map((one) => one.slice());
  }

  /** @param steps so far, this one included */
  update(steps: number): void {
    const decay = Math.min(this.#decay, (1 + steps) / (10 + steps));
    for (const [index, average] of this.averages.entries()) {
      const values = this.#values[index];
      if (values !== undefined) blend(average, values, decay);
    }
  }
}

function blend(average: Float32Array, values: Float32Array, decay: number): void {
  for (let at = 0; at < average.length; at += 1)
    average[at] = decay * (average[at] as number) + (1 - decay) * (values[at] as number);
}
