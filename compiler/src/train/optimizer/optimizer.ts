/** Which rule turns gradients into new weights, and its numbers. */
export type OptimizerOptions =
  | {
      readonly kind: "sgd";
      /** Of earlier steps that goes on, 0 to below 1. */
      readonly momentum: number;
      /** Looks ahead by one step of the momentum. */
      readonly nesterov: boolean;
      /** λ; of weights alone, see `Slot.decays`. */
      readonly weightDecay: number;
    }
  | {
      readonly kind: "adamw";
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly weightDecay: number;
    };

/** An array that is learned; it is updated in place. */
export interface Slot {
  readonly values: Float32Array;
  /** Weight decay pulls at weights, and neither at biases nor at the numbers of norms. */
  readonly decays: boolean;
  /** Where it is 0 the weight is 0 and stays so; one element for each of `values`. */
  readonly mask?: Uint8Array | undefined;
}

/** What an optimizer remembers between steps, one array for each slot, by name. */
export type OptimizerMemory = Readonly<Record<string, readonly Float32Array[]>>;

export interface Optimizer {
  /**
   * One step on all slots.
   * @param gradients one for each slot, as long as its values; read only
   * @param rate the step's size
   * @param scale factor on all gradients: clipping
   */
  step(gradients: readonly Float32Array[], rate: number, scale?: number): void;
  /** To be saved and put back: the arrays themselves. */
  readonly memory: OptimizerMemory;
  /** Steps so far. A bias correction depends on it. */
  steps: number;
}

/** Masked weights are 0, whatever the step did. */
export function applyMask({ values, mask }: Slot): void {
  if (mask === undefined) return;
  for (let at = 0; at < values.length; at += 1) if (mask[at] === 0) values[at] = 0;
}

/** An array of zeros for each slot. */
export function zerosFor(slots: readonly Slot[]): readonly Float32Array[] {
  return slots.map(({ values }) => new Float32Array(values.length));
}
