import {
  applyMask,
  type Optimizer,
  type OptimizerMemory,
  type OptimizerOptions,
  type Slot,
  zerosFor,
} from "./optimizer.js";

type AdamWOptions = Extract<OptimizerOptions, { kind: "adamw" }>;

/**
 * Adam with decoupled weight decay: m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g²,
 * w ← (1 − rate·λ)·w − rate · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε).
 * Kingma and Ba, Adam, ICLR 2015; Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, with the
 * decay times the rate, as PyTorch has it.
 */
export class AdamW implements Optimizer {
  readonly #options: AdamWOptions;
  readonly #slots: readonly Slot[];
  readonly #mean: readonly Float32Array[];
  readonly #square: readonly Float32Array[];
  steps = 0;

  constructor(options: AdamWOptions, slots: readonly Slot[]) {
    this.#options = options;
    this.#slots = slots;
    this.#mean = zerosFor(slots);
    this.#square = zerosFor(slots);
  }

  get memory(): OptimizerMemory {
    return { mean: this.#mean, square: this.#square };
  }

  step(gradients: readonly Float32Array[], rate: number, scale = 1): void {
    this.steps += 1;
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    const size = rate / (1 - beta1 ** this.steps);
    const root = 1 / Math.sqrt(1 - beta2 ** this.steps);
    for (const [index, slot] of this.#slots.entries()) {
      const [gradient, mean, square] = [gradients[index], this.#mean[index], this.#square[index]];
      if (gradient === undefined || mean === undefined || square === undefined) continue;
      const keep = slot.decays ? 1 - rate * weightDecay : 1;
      adapt(slot.values, gradient, mean, square, {
        scale,
        beta1,
        beta2,
        epsilon,
        size,
        root,
        keep,
      });
      applyMask(slot);
    }
  }
}

interface Adaptation {
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

function adapt(
  values: Float32Array,
  gradient: Float32Array,
  mean: Float32Array,
  square: Float32Array,
  { scale, beta1, beta2, epsilon, size, root, keep }: Adaptation,
): void {
  for (let at = 0; at < values.length; at += 1) {
    const g = (gradient[at] as number) * scale;
    const m = beta1 * (mean[at] as number) + (1 - beta1) * g;
    const v = beta2 * (square[at] as number) + (1 - beta2) * g * g;
    mean[at] = m;
    square[at] = v;
    values[at] = keep * (values[at] as number) - (size * m) / (Math.sqrt(v) * root + epsilon);
  }
}
