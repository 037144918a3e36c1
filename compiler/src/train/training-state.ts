import { MovingAverage } from "./optimizer/average.js";
import { createOptimizer } from "./optimizer/create.js";
import type { Optimizer, OptimizerOptions, Slot } from "./optimizer/optimizer.js";
import type { Statistic } from "./batch-norms.js";
import type { LearnedConstant } from "./parameters.js";

/** What an epoch came to. */
export interface EpochFacts {
  /** Means over its batches. */
  readonly loss: number;
  readonly terms: readonly number[];
  /** Share of right classes among the samples it learned from; null without classes. */
  readonly accuracy: number | null;
  /** The same of the validation samples, after it; null without. */
  readonly validation: number | null;
}

/** Of the epoch that is under way, up to now. */
export interface EpochSums {
  readonly batches: number;
  readonly samples: number;
  readonly loss: number;
  readonly terms: readonly number[];
  /** Null without classes. */
  readonly right: number | null;
}

export const noSums = (): EpochSums => ({
  batches: 0,
  samples: 0,
  loss: 0,
  terms: [],
  right: null,
});

/** An array that is learned or counted, and the constant that it will be. */
export interface LearnedArray {
  readonly constant: LearnedConstant;
  readonly values: Float32Array;
}

/** All that a training is at one moment: with it, it goes on as if nothing had happened. */
export interface TrainingState {
  readonly parameters: readonly LearnedArray[];
  /** Running statistics of batch norms. */
  readonly statistics: readonly LearnedArray[];
  readonly optimizer: Optimizer;
  readonly average: MovingAverage | null;
  epoch: number;
  /** Samples of this epoch that are done. */
  position: number;
  batch: number;
  sums: EpochSums;
  history: readonly EpochFacts[];
}

export interface StateOptions {
  readonly optimizer: OptimizerOptions;
  /** Decay of the moving average of weights; 0: none is kept. */
  readonly average: number;
  readonly batch: number;
  /** Whether threads read the weights where they lie. */
  readonly shared: boolean;
  /** 1 where a weight may be other than 0, by constant. */
  readonly masks?: ReadonlyMap<LearnedConstant["value"], Uint8Array> | undefined;
}

/** Before the first step. */
export async function initialState(
  parameters: readonly LearnedConstant[],
  statistics: readonly Statistic[],
  { optimizer, average, batch, shared, masks }: StateOptions,
): Promise<TrainingState> {
  const arrays = await Promise.all(parameters.map((constant) => copied(constant, shared)));
  const counted = await Promise.all(statistics.map(({ constant }) => copied(constant, false)));
  const slots = arrays.map(({ constant, values }): Slot => ({
    values,
    decays: constant.as === "weight",
    mask: masks?.get(constant.value),
  }));
  const values = arrays.map((one) => one.values);
  return {
    parameters: arrays,
    statistics: counted,
    optimizer: createOptimizer(optimizer, slots),
    average: average > 0 ? new MovingAverage(values, average) : null,
    epoch: 0,
    position: 0,
    batch,
    sums: noSums(),
    history: [],
  };
}

async function copied(constant: LearnedConstant, shared: boolean): Promise<LearnedArray> {
  const numbers = await constant.tensor.readFloat32();
  // Pages that are not isolated have none.
  if (!shared || typeof SharedArrayBuffer === "undefined")
    return { constant, values: numbers.slice() };
  const values = new Float32Array(new SharedArrayBuffer(numbers.byteLength));
  values.set(numbers);
  return { constant, values };
}

/** What came of it: averages where they are kept, and the running statistics. */
export function learnedArrays({
  parameters,
  statistics,
  average,
}: TrainingState): readonly LearnedArray[] {
  const weights = parameters.map(({ constant, values }, index) => ({
    constant,
    values: average?.averages[index] ?? values,
  }));
  return [...weights, ...statistics];
}
