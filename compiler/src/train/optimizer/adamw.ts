import type { VectorMemory } from "../vector-memory.js";
import {
  applyMask,
  type Optimizer,
  type OptimizerMemory,
  type OptimizerOptions,
  type Slot,
} from "./optimizer.js";

type AdamWOptions = Extract<OptimizerOptions, { kind: "adamw" }>;

/** What is remembered of a slot. */
interface Moments {
  readonly mean: Float32Array;
  readonly square: Float32Array;
}

/**
 * Adam with decoupled weight decay: m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g²,
 * w ← (1 − rate·λ)·w − rate · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε).
 * Kingma and Ba, Adam, ICLR 2015; Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, with the
 * decay times the rate, as PyTorch has it; in float32, as PyTorch computes it.
 */
export class AdamW implements Optimizer {
  /** Arrays of each slot's size that it takes of the memory. */
  static readonly arrays = 2;
  readonly #options: AdamWOptions;
  readonly #slots: readonly Slot[];
  readonly #arrays: VectorMemory;
  readonly #moments: readonly Moments[];
  steps = 0;

  /** @param arrays holds the slots' values and all gradients, and has room for the moments */
  constructor(options: AdamWOptions, slots: readonly Slot[], arrays: VectorMemory) {
    this.#options = options;
    this.#slots = slots;
    this.#arrays = arrays;
    this.#moments = slots.map(({ values: { length } }) => ({
      mean: arrays.take(length),
      square: arrays.take(length),
    }));
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
      this.#arrays.adapt(slot.values, gradient, moments.mean, moments.square, numbers);
      applyMask(slot);
    }
  }
}
