import { PareError, type Tensors } from "@pare/runtime/format";
import { classification } from "./classification.js";
import { closeness } from "./closeness.js";
import type { Metric } from "./metric.js";
import { classScores, mainOutput, numbersOf } from "./outputs.js";

const rows = [...classification, ...closeness] as const;

export type MetricName = (typeof rows)[number]["name"];

/** Every built-in metric, by name. */
export const metrics: ReadonlyMap<string, Metric> = new Map(rows.map((row) => [row.name, row]));

/** @throws PareError ARGUMENT with the names there are */
export function metricNamed(name: string): Metric {
  const metric = metrics.get(name);
  if (!metric) {
    throw new PareError("ARGUMENT", `There is no metric "${name}".`, {
      where: "--metric",
      hint: `Built in are ${[...metrics.keys()].join(", ")}; a data module can export its own.`,
    });
  }
  return metric;
}

/**
 * The metric for data that names none. With labels: `exact-match` for what a `predict` of the user's returns or for
 * text, `auc` for one score and two classes, else `top1`, or `mse` for numbers. Without: agreement with the float
 * model, `top1-agreement` where the outputs are scores per class, else `cosine`.
 */
export function chooseMetric(outputs: Tensors, label: unknown, hasPredict = false): MetricName {
  const scores = classScores(outputs);
  if (label === null || label === undefined) return scores ? "top1-agreement" : "cosine";
  if (hasPredict || typeof label === "string") return "exact-match";
  if (typeof label === "object") return "mse";
  if (scores) return "top1";
  const output = mainOutput(outputs);
  return output && numbersOf(output)?.length === 1 && Number.isInteger(Number(label))
    ? "auc"
    : "mse";
}
