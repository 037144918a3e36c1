import type { Tensors } from "@pare/runtime/format";
import { mean } from "../statistics/quantile.js";
import type { Answer } from "./answers.js";

/** What one sample adds to a metric: a few numbers from which the metric of any set of samples follows. */
export type Row = readonly number[];

/** What a metric compares predictions with. `either`: labels where there are some, else the float model's outputs. */
export type Against = "labels" | "float" | "either";

/**
 * A built-in metric. `read` takes from the outputs what the data module's `predict` would have returned; `row` turns
 * that and the truth into numbers; `reduce` makes the metric of them.
 */
export interface Metric {
  readonly name: string;
  readonly direction: "higher" | "lower";
  readonly against: Against;
  /** The metric is the share of samples that are right: exact intervals apply. */
  readonly proportion: boolean;
  /** When two models disagree on a sample: another answer, another side of the best threshold, or never. */
  readonly flip: "answer" | "threshold" | "none";
  /** What a prediction says. */
  answer(prediction: unknown): Answer;
  read(outputs: Tensors): unknown;
  row(prediction: unknown, truth: unknown, where: string): Row;
  /** @param all the rows that those are drawn from: what is decided by rows is decided by these, alike in each resample */
  reduce(rows: readonly Row[], all: readonly Row[]): number;
}

/** The reduction of a metric that is a mean over samples. */
export function meanOfFirst(rows: readonly Row[]): number {
  return mean(rows.map((row) => row[0] as number));
}
