import { PareError } from "@pare/runtime/format";
import { type AdamWKernel, adamwKernel } from "./adamw-kernel.js";
import {
  applyMask,
  type Optimizer,
  type OptimizerMemory,
  type OptimizerOptions,
  type Slot,
} from "./optimizer.js";

type AdamWOptions = Extract<OptimizerOptions, { kind: "adamw" }>;

/** Weights and gradients pass through the kernel's memory in pieces that stay in a processor's nearest cache. */
const pieceCount = 2048;
const pageBytes = 2 ** 16;
const mostPages = 2 ** 16;

/** What is remembered of a slot. */
interface Moments {
  readonly mean: Float32Array;
  readonly square: Float32Array;
}

/**
 * Adam with decoupled weight decay: m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g²,
 * w ← (1 − rate·λ)·w − rate · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε).
 * Kingma and Ba, Adam, ICLR 2015; Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, with the
 * decay times the rate, as PyTorch has it.
 */
export class AdamW implements Optimizer {
  readonly #options: AdamWOptions;
  readonly #slots: readonly Slot[];
  readonly #moments: readonly Moments[];
  readonly #values: Float32Array;
  readonly #gradient: Float32Array;
  readonly #kernel: AdamWKernel;
  steps = 0;

  /** @throws PareError NO_MEMORY where more than 4 GB would have to be remembered */
  constructor(options: AdamWOptions, slots: readonly Slot[]) {
    this.#options = options;
    this.#slots = slots;
    const counts = slots.map(({ values }) => values.length);
    const memory = memoryFor(counts);
    let at = 0;
    const next = (count: number): Float32Array => {
      const array = new Float32Array(memory.buffer, at, count);
      at += paddedBytes(count);
      return array;
    };
    this.#values = next(pieceCount);
    this.#gradient = next(pieceCount);
    this.#moments = counts.map((count) => ({ mean: next(count), square: next(count) }));
    this.#kernel = adamwKernel(memory);
  }

  get memory(): OptimizerMemory {
    return {
      mean: this.#moments.map(({ mean }) => mean),
      square: this.#moments.map(({ square }) => square),
    };
  }

  step(gradients: readonly Float32Array[], rate: number, scale = 1): void {
    this.steps += 1;
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    const size = rate / (1 - beta1 ** this.steps);
    const root = 1 / Math.sqrt(1 - beta2 ** this.steps);
    for (const [index, slot] of this.#slots.entries()) {
      const [gradient, moments] = [gradients[index], this.#moments[index]];
      if (gradient === undefined || moments === undefined) continue;
      const keep = slot.decays ? 1 - rate * weightDecay : 1;
      const numbers = { scale, beta1, beta2, epsilon, size, root, keep };
      this.#adapt(slot.values, gradient, moments, numbers);
      applyMask(slot);
    }
  }

  #adapt(
    values: Float32Array,
    gradient: Float32Array,
    { mean, square }: Moments,
    numbers: Parameters<AdamWKernel>[5],
  ): void {
    const [w, g] = [this.#values, this.#gradient];
    for (let start = 0; start < values.length; start += pieceCount) {
      const count = Math.min(pieceCount, values.length - start);
      w.set(values.subarray(start, start + count));
      g.set(gradient.subarray(start, start + count));
      const [m, v] = [mean, square].map(({ byteOffset }) => byteOffset + 4 * start);
      this.#kernel(w.byteOffset, g.byteOffset, m ?? 0, v ?? 0, count, numbers);
      values.set(w.subarray(0, count), start);
    }
  }
}

function memoryFor(counts: readonly number[]): WebAssembly.Memory {
  const bytes = counts.reduce(
    (sum, count) => sum + 2 * paddedBytes(count),
    2 * paddedBytes(pieceCount),
  );
  const pages = Math.ceil(bytes / pageBytes);
  if (pages < mostPages) return new WebAssembly.Memory({ initial: pages, maximum: pages });
  throw new PareError(
    "NO_MEMORY",
    `AdamW remembers ${bytes / 2 ** 30} GB of this model, of 4 at most.`,
    {
      where: "optimizer",
      hint: "Freeze some of its weights, or train with sgd.",
    },
  );
}

/** The kernel takes two elements at a time, and may end beyond an array. */
function paddedBytes(count: number): number {
  return Math.ceil(count / 2) * 8;
}
