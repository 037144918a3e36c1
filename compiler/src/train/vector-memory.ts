import { PareError } from "@pare/runtime/format";
import { chunkBytes, firstArrayAt, resultAt, vectorLoops } from "./vector-loops.js";

/** The numbers of one step of Adam on one array, in the order in which the loop reads them. */
export interface Adaptation {
  /** On the gradient. */
  readonly scale: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** rate / (1 − β₁ᵗ) */
  readonly size: number;
  /** 1 / √(1 − β₂ᵗ) */
  readonly root: number;
  /** 1 − rate·λ */
  readonly keep: number;
}

type Loop = (...addresses: readonly number[]) => void;

/** WebAssembly addresses so much. */
const mostBytes = 2 ** 32 - 2 ** 16;

/**
 * Float32 arrays in one memory of WebAssembly, which runs over them by vectors: weights, gradients, and what an optimizer
 * remembers. Threads may read and write them where they lie. Engines that run models run vectors too.
 */
export class VectorMemory {
  readonly #buffer: ArrayBufferLike;
  readonly #loops: Readonly<Record<"adapt" | "blend" | "squares", Loop>>;
  #next = firstArrayAt;

  private constructor(bytes: number, isShared: boolean) {
    const module = new WebAssembly.Module(vectorLoops(bytes, isShared));
    const { exports } = new WebAssembly.Instance(module);
    this.#buffer = (exports["memory"] as WebAssembly.Memory).buffer;
    const loop = (name: string): Loop => exports[name] as Loop;
    this.#loops = { adapt: loop("adapt"), blend: loop("blend"), squares: loop("squares") };
  }

  /**
   * @param counts elements of all arrays that will be taken
   * @param isShared for threads; where memory cannot be shared, in pages that are not isolated, it is not
   * @throws PareError NO_MEMORY where they are more than 4 GB, or than there is
   */
  static for(counts: Iterable<number>, isShared = false): VectorMemory {
    let bytes = firstArrayAt;
    for (const count of counts) bytes += paddedBytes(count);
    try {
      if (bytes > mostBytes) throw new RangeError("4 GB are the most");
      return new VectorMemory(bytes, isShared && typeof SharedArrayBuffer !== "undefined");
    } catch (cause) {
      throw new PareError(
        "NO_MEMORY",
        `Weights, gradients and what the optimizer remembers take ${(bytes / 2 ** 30).toPrecision(2)} GB.`,
        {
          where: "the training",
          hint: "Freeze some of the model's weights, or train by a recipe with `optimizer: sgd`.",
          cause,
        },
      );
    }
  }

  /** An array of zeros. @throws RangeError beyond what it was made for */
  take(count: number): Float32Array {
    const array = new Float32Array(this.#buffer, this.#next, count);
    this.#next += paddedBytes(count);
    return array;
  }

  /** √(Σ x²) over all of these arrays; not finite where any element is not. */
  norm(arrays: readonly Float32Array[]): number {
    const halves = new Float64Array(this.#buffer, resultAt, 2);
    let sum = 0;
    for (const array of arrays) {
      this.#loops.squares(array.byteOffset, endOf(array));
      sum += (halves[0] as number) + (halves[1] as number);
    }
    return Math.sqrt(sum);
  }

  /** into ← kept · into + weight · more */
  blend(into: Float32Array, kept: number, more: Float32Array, weight: number): void {
    this.#numbers([kept, weight]);
    this.#loops.blend(into.byteOffset, more.byteOffset, endOf(into));
  }

  /** g ← scale · g, m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², w ← keep · w − size · m / (√v · root + ε), as float32 */
  adapt(
    values: Float32Array,
    gradient: Float32Array,
    mean: Float32Array,
    square: Float32Array,
    { scale, beta1, beta2, epsilon, size, root, keep }: Adaptation,
  ): void {
    this.#numbers([scale, beta1, 1 - beta1, beta2, 1 - beta2, size, root, epsilon, keep]);
    const [w, g, m, v] = [
      values.byteOffset,
      gradient.byteOffset,
      mean.byteOffset,
      square.byteOffset,
    ];
    this.#loops.adapt(w, g, m, v, endOf(values));
  }

  #numbers(numbers: readonly number[]): void {
    new Float32Array(this.#buffer, 0, numbers.length).set(numbers);
  }
}

function endOf({ byteOffset, length }: Float32Array): number {
  return byteOffset + 4 * length;
}

function paddedBytes(count: number): number {
  return Math.ceil((4 * count) / chunkBytes) * chunkBytes;
}
