import { numbersOf, PareError, type Tensors } from "@pare/runtime/format";
import { classification } from "./classification.js";
import { closeness } from "./closeness.js";
import { concordance } from "./concordance.js";
import type { Metric } from "./metric.js";
import { classScores, isDirection, isFloat, mainOutput } from "./outputs.js";
import { isClassMap, isMapOf, type LabelFacts } from "./label-facts.js";
import { numbersFrom, oneHotClass, single } from "./readings.js";
import { severalLabels } from "./several-labels.js";

const rows = [...classification, ...severalLabels, ...closeness, concordance] as const;

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
 * The metric for data that names none. With labels: what a `predict` of the user's returned is read as it is (scores
 * per class against a class are `top1`, a number between the classes 0 and 1 is `auc`, a list of numbers against another
 * is `mse`, anything else `exact-match`); of outputs, `auc` for one score and two classes, else `top1`, or `mse` for
 * numbers, `labels-right` for as many 0 and 1, and `mean-iou` for a class for each place. Without labels: agreement with the
 * float model, `top1-agreement` where scores of classes are all that is measured, else `concordance`.
 * @param outputs of one sample; of several, those that labels are of
 * @param prediction what `predict` returned for the sample; undefined where there is none
 * @param facts of all labels; null where they are unknown, or no numbers
 */
export function chooseMetric(
  outputs: Tensors,
  given: unknown,
  prediction?: unknown,
  facts: LabelFacts | null = null,
): MetricName {
  if (prediction !== undefined) return metricOfPrediction(prediction, given);
  const flat = classScores(outputs);
  const scores = flat && isDirection(flat) ? null : flat;
  if (given === null || given === undefined)
    return scores && !mayBeSequence(outputs) && isOnlyMeasured(outputs)
      ? "top1-agreement"
      : "concordance";
  // One sample of several labels may have but one of them.
  const isOneHot = scores !== null && (facts === null || facts.areOneHot);
  const label = isOneHot ? (oneHotClass(given, scores.length) ?? single(given)) : single(given);
  if (typeof label === "string") return "exact-match";
  const output = mainOutput(outputs);
  if (typeof label === "object")
    return facts === null || output === null
      ? "mse"
      : isClassMap(output, facts)
        ? "mean-iou"
        : metricOfRow(numbersOf(output)?.length, facts);
  if (scores) return "top1";
  return output && numbersOf(output)?.length === 1 && isClass(label) ? "auc" : "mse";
}

/** Where labels have classes that the model has not, or more places, the metric names them. */
function metricOfRow(count = 0, { row, areClasses, areTruths }: LabelFacts): MetricName {
  if (areTruths && count === row) return "labels-right";
  return areClasses && isMapOf(count, row) ? "mean-iou" : "mse";
}

/** What other outputs of floats say is lost where one is read for its classes. */
function isOnlyMeasured(outputs: Tensors): boolean {
  return Object.values(outputs).filter(isFloat).length === 1;
}

/** Of three axes, as many numbers in a row, of one feature each, as they are classes: no label says which. */
function mayBeSequence(outputs: Tensors): boolean {
  return mainOutput(outputs)?.dims.length === 3;
}

function metricOfPrediction(prediction: unknown, label: unknown): MetricName {
  const numbers = numbersFrom(prediction);
  const score = numbers?.length === 1 && !Number.isInteger(numbers[0]);
  if (label === null || label === undefined)
    return score || (numbers !== null && numbers.length > 1) ? "concordance" : "top1-agreement";
  if (numbers === null) return "exact-match";
  if (typeof label === "object") return score || numbers.length > 1 ? "mse" : "exact-match";
  if (numbers.length > 1) return isClass(label) ? "top1" : "exact-match";
  return score ? (isClass(label) ? "auc" : "mse") : "exact-match";
}

function isClass(label: unknown): boolean {
  return typeof label !== "string" && Number.isInteger(Number(label));
}
