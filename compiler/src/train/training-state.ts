import type { ValueId } from "../ir/index.js";
import { MovingAverage } from "./optimizer/average.js";
import { arraysOf, createOptimizer } from "./optimizer/create.js";
import type { Optimizer, OptimizerOptions, Slot } from "./optimizer/optimizer.js";
import type { Statistic } from "./batch-norms.js";
import type { LearnedConstant } from "./parameters.js";
import { VectorMemory } from "./vector-memory.js";

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
  /** Running statistics of batch norms, in the order of the graph's. */
  readonly statistics: readonly LearnedArray[];
  /** Of the last step: of each share of a batch those of all parameters. */
  readonly gradients: readonly (readonly Float32Array[])[];
  /** Of a run that is added to those of its share; none where each share is one run. */
  readonly added: readonly (readonly Float32Array[])[];
  /** Where parameters, gradients and what the optimizer remembers lie. */
  readonly arrays: VectorMemory;
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
  /** Of a batch; where there are several, threads read weights and write gradients where they lie. */
  readonly shares: number;
  /** A share is computed in several runs. */
  readonly inRuns: boolean;
  /** Weights that are 0 stay so. */
  readonly keepZeros: boolean;
}

/** Before the first step. */
export async function initialState(
  parameters: readonly LearnedConstant[],
  statistics: readonly Statistic[],
  { optimizer, average, batch, shares, inRuns, keepZeros }: StateOptions,
): Promise<TrainingState> {
  const counts = parameters.map(({ tensor }) => tensor.count);
  const arrays = VectorMemory.for(
    Array.from(
      { length: 1 + (inRuns ? 2 : 1) * shares + arraysOf(optimizer) },
      () => counts,
    ).flat(),
    shares > 1,
  );
  const learned = await Promise.all(
    parameters.map(async (constant): Promise<LearnedArray> => {
      const numbers = await constant.tensor.readFloat32();
      const values = arrays.take(numbers.length);
      values.set(numbers);
      return { constant, values };
    }),
  );
  // A norm that is applied several times counts each time, in one array.
  const arraysCounted = new Map(
    await Promise.all(
      statistics.map(async ({ constant }): Promise<readonly [ValueId, LearnedArray]> => {
        const values = (await constant.tensor.readFloat32()).slice();
        return [constant.value, { constant, values }];
      }),
    ),
  );
  const counted = statistics.flatMap(({ constant }) => arraysCounted.get(constant.value) ?? []);
  const slots = learned.map(({ constant, values }): Slot => {
    const isWeight = constant.as === "weight";
    return { values, decays: isWeight, mask: keepZeros && isWeight ? maskOf(values) : undefined };
  });
  const values = learned.map((one) => one.values);
  const taken = (sets: number) =>
    Array.from({ length: sets }, () => counts.map((count) => arrays.take(count)));
  return {
    parameters: learned,
    statistics: counted,
    gradients: taken(shares),
    added: taken(inRuns ? shares : 0),
    arrays,
    optimizer: createOptimizer(optimizer, slots, arrays),
    average: average > 0 ? new MovingAverage(values, average) : null,
    epoch: 0,
    position: 0,
    batch,
    sums: noSums(),
    history: [],
  };
}

/** 1 where a weight may change; none where all may. */
function maskOf(values: Float32Array): Uint8Array | undefined {
  return values.includes(0) ? Uint8Array.from(values, (value) => (value === 0 ? 0 : 1)) : undefined;
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
  return [...weights, ...new Set(statistics)];
}
