import {
  applyMask,
  type Optimizer,
  type OptimizerMemory,
  type OptimizerOptions,
  type Slot,
  zerosFor,
} from "./optimizer.js";

type SgdOptions = Extract<OptimizerOptions, { kind: "sgd" }>;

/**
 * Stochastic gradient descent with momentum, as PyTorch writes it: v ← μ·v + g, w ← w − rate·v, and with Nesterov's
 * look-ahead w ← w − rate·(g + μ·v). Sutskever and others, On the importance of initialization and momentum in deep
 * learning, ICML 2013. Weight decay is added to the gradient: g ← g + λ·w.
 */
export class Sgd implements Optimizer {
  readonly #options: SgdOptions;
  readonly #slots: readonly Slot[];
  readonly #velocity: readonly Float32Array[];
  steps = 0;

  constructor(options: SgdOptions, slots: readonly Slot[]) {
    this.#options = options;
    this.#slots = slots;
    this.#velocity = zerosFor(slots);
  }

  get memory(): OptimizerMemory {
    return { velocity: this.#velocity };
  }

  step(gradients: readonly Float32Array[], rate: number, scale = 1): void {
    this.steps += 1;
    const { momentum, nesterov, weightDecay } = this.#options;
    for (const [index, slot] of this.#slots.entries()) {
      const [gradient, velocity] = [gradients[index], this.#velocity[index]];
      if (gradient === undefined || velocity === undefined) continue;
      const decay = slot.decays ? weightDecay : 0;
      descend(slot.values, gradient, velocity, { rate, scale, momentum, nesterov, decay });
      applyMask(slot);
    }
  }
}

interface Descent {
  readonly rate: number;
  readonly scale: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly decay: number;
}

function descend(
  values: Float32Array,
  gradient: Float32Array,
  velocity: Float32Array,
  { rate, scale, momentum, nesterov, decay }: Descent,
): void {
  for (let at = 0; at < values.length; at += 1) {
    const w = values[at] as number;
    const g = (gradient[at] as number) * scale + decay * w;
    const v = momentum * (velocity[at] as number) + g;
    velocity[at] = v;
    values[at] = w - rate * (nesterov ? g + momentum * v : v);
  }
}
