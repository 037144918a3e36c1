import { countMacs, countParameters } from "../analysis/index.js";
import type { Graph } from "../ir/index.js";
import { bindBatch, type SampleDims } from "./bind-batch.js";

/** Below so many multiply-accumulates of the forward pass, a step is over before another thread has heard of it. */
const leastMacs = 2 ** 22;
/**
 * Weights are read and gradients summed for each worker, and updated by one: below so many multiply-accumulates a parameter
 * that takes what is saved. An encoder of 460 gains 1.5 by a second worker, CNNs of 2,000 and 5,000 gain 1.6 and 2
 * (docs/measured/training/as-fast-as-pytorch.json).
 */
const leastMacsPerParameter = 400;
/** Samples of a share: with fewer, what every run costs whatever it computes weighs more. */
const leastShare = 4;
/** Batch norms normalize by what a share holds: with fewer, by noise. */
const leastNormalized = 16;

interface Steps {
  /** Of one sample. */
  readonly dims: SampleDims;
  readonly batch: number;
  readonly norms: "batch" | "frozen";
  /** That the machine has. */
  readonly most: number;
}

/** How many workers pay for steps of a model: one where it is small, or where shares of its batches would be. */
export function payingWorkers(model: Graph, { dims, batch, norms, most }: Steps): number {
  const one = model.fork();
  bindBatch(one, dims, 1);
  const macs = countMacs(one) ?? 0;
  const normalizes =
    norms === "batch" && model.order().some(({ op }) => op === "BatchNormalization");
  const shares = Math.floor(batch / (normalizes ? leastNormalized : leastShare));
  const byWork = Math.floor((macs * batch) / leastMacs);
  const pays = (macs * batch) / Math.max(1, countParameters(model)) >= leastMacsPerParameter;
  return Math.max(1, pays ? Math.min(most, shares, byWork) : 1);
}
