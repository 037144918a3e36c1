import {
  dtypeArray,
  isNumeric,
  isTypedArray,
  numbersOf,
  PareError,
  type Tensors,
} from "@pare/runtime/format";
import { argmax, classScores } from "./outputs.js";

export function wrongLabel(
  metric: string,
  needs: string,
  got: unknown,
  where: string,
  hint: string,
): PareError {
  const shown =
    typeof got === "object" && got !== null
      ? got.constructor?.name
      : JSON.stringify(got, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
  return new PareError(
    "LABELS",
    `The metric ${metric} needs ${needs}, but ${where} has ${shown}.`,
    { where, hint },
  );
}

export function wrongOutput(
  metric: string,
  needs: string,
  hint = "Export `predict(outputs, sample)` from a data module, which says what the metric is to read, or name another metric.",
): PareError {
  return new PareError(
    "LABELS",
    `The metric ${metric} needs ${needs}, which this model's outputs are not.`,
    { where: metric, hint },
  );
}

export function plain(value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

/** Numbers from a number, an array or a tensor; null from anything else. */
export function numbersFrom(value: unknown): ArrayLike<number> | null {
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean")
    return [Number(value)];
  if (value instanceof BigInt64Array || value instanceof BigUint64Array)
    return Float64Array.from(value, Number);
  if (isTypedArray(value)) return value as Exclude<typeof value, BigInt64Array | BigUint64Array>;
  if (Array.isArray(value)) return value.every((each) => typeof each === "number") ? value : null;
  if (typeof value === "object" && value !== null && "data" in value) return numbersIn(value);
  return null;
}

/** Of what is held as tensors are, halves are bits; a plain array or a Float16Array has the numbers themselves. */
function numbersIn(value: { readonly data: unknown }): ArrayLike<number> | null {
  const { data } = value;
  const type = "type" in value ? value.type : null;
  if (isTypedArray(data) && isNumeric(type) && data instanceof dtypeArray[type])
    return numbersOf({ type, dims: [data.length], data });
  return numbersFrom(data);
}

export function classOf(metric: string, prediction: unknown): number | string | boolean {
  const value = plain(prediction);
  if (typeof value === "number" || typeof value === "string" || typeof value === "boolean")
    return value;
  const scores = numbersFrom(value);
  if (scores && scores.length > 1) return argmax(scores);
  throw wrongOutput(metric, "a class, or scores per class");
}

/** What a list of one element holds; all else as it is. */
export function single(value: unknown): unknown {
  const list = Array.isArray(value) || isTypedArray(value) ? value : null;
  return list?.length === 1 ? plain(list[0]) : value;
}

/** The class of a label that is 1 for one of so many, and 0 for the others; undefined for any other. */
export function oneHotClass(label: unknown, classes: number): number | undefined {
  const numbers = typeof label === "object" ? numbersFrom(label) : null;
  if (numbers?.length !== classes || classes < 2) return undefined;
  const list = Array.from(numbers);
  const isOneHot = list.every((one) => one === 0 || one === 1);
  return isOneHot && list.indexOf(1) >= 0 && list.indexOf(1) === list.lastIndexOf(1)
    ? list.indexOf(1)
    : undefined;
}

/** @param classes how many there are, where scores say so */
export function classLabel(
  metric: string,
  label: unknown,
  prediction: unknown,
  where: string,
  classes = 0,
): number | string | boolean {
  const value = oneHotClass(label, classes) ?? plain(single(label));
  if (
    typeof value === "number"
      ? Number.isInteger(value)
      : typeof value === "string" || typeof value === "boolean"
  ) {
    if (typeof value === "string" && typeof prediction === "number") {
      throw wrongLabel(
        metric,
        "class numbers, as the model's outputs are scores per class",
        value,
        where,
        "Give labels as 0, 1, 2, …, or export `predict(outputs, sample)` that returns the label's text.",
      );
    }
    demandComparable(metric, prediction, value, where);
    return value as number | string | boolean;
  }
  throw wrongLabel(
    metric,
    "one class per sample",
    label,
    where,
    "Give each sample a `label`: a whole number or a text.",
  );
}

/** A text and a number are never equal: every answer would be called wrong. */
export function demandComparable(
  metric: string,
  prediction: unknown,
  label: unknown,
  where: string,
): void {
  const [said, wanted] = [prediction, label].map((value) => typeof value === "string");
  const areSingle = [prediction, label].every((value) =>
    /string|number|boolean/.test(typeof value),
  );
  if (!areSingle || said === wanted) return;
  throw wrongLabel(
    metric,
    said ? "texts, as predictions are" : "numbers, as predictions are",
    label,
    where,
    "Let `predict` return what labels are: both texts, or both numbers.",
  );
}

export function readClass(metric: string): (outputs: Tensors) => unknown {
  return (outputs) => {
    const scores = classScores(outputs);
    if (!scores) throw wrongOutput(metric, "scores per class ([1, C])");
    return scores;
  };
}

export function readNumbers(outputs: Tensors): unknown {
  const all = Object.values(outputs)
    .map(numbersOf)
    .filter((each) => each !== null);
  if (all.length === 1) return all[0];
  const joined = new Float64Array(all.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of all) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export function pairOfNumbers(
  metric: string,
  prediction: unknown,
  truth: unknown,
  where: string,
): [ArrayLike<number>, ArrayLike<number>] {
  const got = numbersFrom(prediction);
  if (!got) throw wrongOutput(metric, "numbers");
  const expected = numbersFrom(truth);
  if (!expected || expected.length !== got.length) {
    throw wrongLabel(
      metric,
      `${got.length} number(s) per sample`,
      expected ? `${expected.length} number(s)` : truth,
      where,
      "Give labels of the outputs' size, or none to compare with the float model. Where scores are of each place, let a data module's `predict` say what they come to, or its `score` how good they are.",
    );
  }
  return [got, expected];
}

/** Equality of classes, where true is 1. */
export function sameClass(a: unknown, b: unknown): boolean {
  return (
    a === b || (typeof a === "boolean" ? Number(a) : a) === (typeof b === "boolean" ? Number(b) : b)
  );
}

export function checkRange(
  metric: string,
  prediction: unknown,
  label: unknown,
  where: string,
): void {
  const scores = typeof prediction === "object" ? numbersFrom(prediction) : null;
  if (scores && typeof label === "number" && (label < 0 || label >= scores.length))
    throw outOfRange(metric, scores.length, label, where);
}

export function outOfRange(
  metric: string,
  classes: number,
  label: number,
  where: string,
): PareError {
  return wrongLabel(
    metric,
    `classes from 0 to ${classes - 1}`,
    label,
    where,
    "Number the classes from 0, as the model does.",
  );
}

/**
 * What a candidate and the float model give where their number varies (boxes that were found): what only one has is held
 * against zeros.
 */
export function ofOneSize(got: unknown, float: unknown): [unknown, unknown] {
  const [a, b] = [numbersFrom(got), numbersFrom(float)];
  if (a === null || b === null || a.length === b.length) return [got, float];
  const size = Math.max(a.length, b.length);
  return [filledTo(size, a), filledTo(size, b)];
}

function filledTo(size: number, values: ArrayLike<number>): Float64Array {
  const filled = new Float64Array(size);
  filled.set(values);
  return filled;
}
