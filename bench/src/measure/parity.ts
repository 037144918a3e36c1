import { type Parity, relativeDistance, type Tensors } from "@pare/runtime/format";
import { argmax, classScores } from "../metrics/outputs.js";

/** Gathers how far two runs of one model are apart, sample by sample. */
export class ParityMeter {
  #n = 0;
  #maxError = 0;
  #flips = 0;

  add(got: Tensors, expected: Tensors): void {
    this.#n++;
    for (const [name, reference] of Object.entries(expected))
      this.#maxError = Math.max(this.#maxError, relativeDistance(reference, got[name]));
    const [a, b] = [classScores(got), classScores(expected)];
    if (a && b && argmax(a) !== argmax(b)) this.#flips++;
  }

  result(): Parity | null {
    return this.#n === 0 ? null : { n: this.#n, maxError: this.#maxError, flips: this.#flips };
  }
}
