/** Adam (Kingma and Ba 2015) on an array that is updated in place. */
export class Adam {
  readonly #mean: Float32Array;
  readonly #square: Float32Array;
  readonly #rate: number;
  #steps = 0;

  constructor(size: number, rate: number) {
    this.#mean = new Float32Array(size);
    this.#square = new Float32Array(size);
    this.#rate = rate;
  }

  update(values: Float32Array, gradient: ArrayLike<number>): void {
    this.#steps += 1;
    const [first, second] = [1 - 0.9 ** this.#steps, 1 - 0.999 ** this.#steps];
    for (let index = 0; index < values.length; index += 1) {
      const g = gradient[index] ?? 0;
      const mean = 0.9 * (this.#mean[index] ?? 0) + 0.1 * g;
      const square = 0.999 * (this.#square[index] ?? 0) + 0.001 * g * g;
      this.#mean[index] = mean;
      this.#square[index] = square;
      const step = (this.#rate * (mean / first)) / (Math.sqrt(square / second) + 1e-8);
      values[index] = (values[index] ?? 0) - step;
    }
  }
}
