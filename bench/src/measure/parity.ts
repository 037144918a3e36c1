import type { Parity, Tensors } from "@pare/runtime/format";
import { argmax, classScores, numbersOf } from "../metrics/outputs.js";

/** Gathers how far two runs of one model are apart, sample by sample. */
export class ParityMeter {
  #n = 0;
  #maxError = 0;
  #flips = 0;

  add(got: Tensors, expected: Tensors): void {
    this.#n++;
    for (const [name, reference] of Object.entries(expected)) {
      const output = got[name];
      const [a, b] = [output && numbersOf(output), numbersOf(reference)];
      if (!a || !b) continue;
      this.#maxError = Math.max(this.#maxError, relativeError(a, b));
    }
    const [a, b] = [classScores(got), classScores(expected)];
    if (a && b && argmax(a) !== argmax(b)) this.#flips++;
  }

  result(): Parity | null {
    return this.#n === 0 ? null : { n: this.#n, maxError: this.#maxError, flips: this.#flips };
  }
}

/** The largest absolute difference over the largest absolute value; Infinity where one has a NaN that the other has not, or sizes differ. */
function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Infinity;
  let difference = 0;
  let scale = 0;
  for (let index = 0; index < got.length; index++) {
    const [a, b] = [got[index] as number, expected[index] as number];
    if (Object.is(a, b)) continue;
    const apart = Math.abs(a - b);
    if (Number.isNaN(apart)) return Infinity;
    if (apart > difference) difference = apart;
    if (Math.abs(b) > scale) scale = Math.abs(b);
  }
  for (let index = 0; index < expected.length; index++) {
    const size = Math.abs(expected[index] as number);
    if (size > scale && size < Infinity) scale = size;
  }
  return difference === 0 ? 0 : difference / Math.max(scale, Number.MIN_VALUE);
}
