import { distanceOf, type Parity, type Tensors } from "@pare/runtime/format";
import { argmax, classScores } from "../metrics/outputs.js";

/** Of one output, over all samples. */
interface Apart {
  readonly difference: number;
  readonly scale: number;
}

/**
 * Gathers how far two runs of one model are apart: the worst difference of an output over its largest value, of all samples. A
 * sample where an output is next to nothing (a mask of what is not there) says nothing in its own measure.
 */
export class ParityMeter {
  #n = 0;
  #flips = 0;
  readonly #outputs = new Map<string, Apart>();

  add(got: Tensors, expected: Tensors): void {
    this.#n++;
    for (const [name, reference] of Object.entries(expected)) {
      const { difference, scale } = distanceOf(reference, got[name]);
      const before = this.#outputs.get(name) ?? { difference: 0, scale: 0 };
      this.#outputs.set(name, {
        difference: Math.max(before.difference, difference),
        scale: Math.max(before.scale, scale),
      });
    }
    const [a, b] = [classScores(got), classScores(expected)];
    if (a && b && argmax(a) !== argmax(b)) this.#flips++;
  }

  result(): Parity | null {
    if (this.#n === 0) return null;
    const errors = [...this.#outputs.values()].map(
      ({ difference, scale }) => difference / (scale || 1),
    );
    return { n: this.#n, maxError: Math.max(0, ...errors), flips: this.#flips };
  }
}
