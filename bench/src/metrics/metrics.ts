import { isTypedArray, PareError, type Tensors } from "@pare/runtime/format";
import { mean } from "../statistics/quantile.js";
import { auc } from "./auc.js";
import { editDistance } from "./edit-distance.js";
import { argmax, classScores, mainOutput, numbersOf, topClasses } from "./outputs.js";

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
  /** When two models disagree on a sample: another class or text, another side of the best threshold, or never. */
  readonly flip: "value" | "threshold" | "none";
  read(outputs: Tensors): unknown;
  row(prediction: unknown, truth: unknown, where: string): Row;
  reduce(rows: readonly Row[]): number;
}

/** Signal to quantization noise of a float32 that differs in its last bit only: more means nothing. */
const highestSqnr = 144;

function wrongLabel(
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

function wrongOutput(metric: string, needs: string): PareError {
  return new PareError(
    "LABELS",
    `The metric ${metric} needs ${needs}, which this model's outputs are not.`,
    {
      where: metric,
      hint: "Export `predict(outputs, sample)` from a data module, which says what the metric is to read, or name another metric.",
    },
  );
}

function plain(value: unknown): unknown {
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
  if (typeof value === "object" && value !== null && "data" in value)
    return numbersFrom(value.data);
  return null;
}

function classOf(metric: string, prediction: unknown): number | string | boolean {
  const value = plain(prediction);
  if (typeof value === "number" || typeof value === "string" || typeof value === "boolean")
    return value;
  const scores = numbersFrom(value);
  if (scores && scores.length > 1) return argmax(scores);
  throw wrongOutput(metric, "a class, or scores per class,");
}

function classLabel(
  metric: string,
  label: unknown,
  prediction: unknown,
  where: string,
): number | string | boolean {
  const value = plain(label);
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

function readClass(metric: string): (outputs: Tensors) => unknown {
  return (outputs) => {
    const scores = classScores(outputs);
    if (!scores) throw wrongOutput(metric, "scores per class ([1, C])");
    return scores;
  };
}

function readNumbers(outputs: Tensors): unknown {
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

function pairOfNumbers(
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
      "Give labels of the outputs' size, or none to compare with the float model.",
    );
  }
  return [got, expected];
}

const meanOfFirst = (rows: readonly Row[]): number => mean(rows.map((row) => row[0] as number));
const same = (a: unknown, b: unknown): boolean =>
  a === b || (typeof a === "boolean" ? Number(a) : a) === (typeof b === "boolean" ? Number(b) : b);

function checkRange(metric: string, prediction: unknown, label: unknown, where: string): void {
  const scores = typeof prediction === "object" ? numbersFrom(prediction) : null;
  if (scores && typeof label === "number" && (label < 0 || label >= scores.length)) {
    throw wrongLabel(
      metric,
      `classes from 0 to ${scores.length - 1}`,
      label,
      where,
      "Number the classes from 0, as the model does.",
    );
  }
}

function macroF1(rows: readonly Row[]): number {
  const classes = new Set(rows.flat());
  const of = (target: number): number => {
    let hit = 0;
    let wrong = 0;
    for (const [prediction, label] of rows) {
      if (prediction === target && label === target) hit++;
      else if (prediction === target || label === target) wrong++;
    }
    return hit === 0 ? 0 : (2 * hit) / (2 * hit + wrong);
  };
  const binary = [...classes].every((each) => each === 0 || each === 1);
  return binary ? of(1) : mean([...classes].map(of));
}

const rows = [
  {
    name: "top1",
    direction: "higher",
    against: "labels",
    proportion: true,
    flip: "value",
    read: readClass("top1"),
    row(prediction, truth, where) {
      const got = classOf("top1", prediction);
      const label = classLabel("top1", truth, got, where);
      checkRange("top1", prediction, label, where);
      return [same(got, label) ? 1 : 0];
    },
    reduce: meanOfFirst,
  },
  {
    name: "top5",
    direction: "higher",
    against: "labels",
    proportion: true,
    flip: "value",
    read: readClass("top5"),
    row(prediction, truth, where) {
      const label = classLabel("top5", truth, null, where);
      checkRange("top5", prediction, label, where);
      const scores = numbersFrom(prediction);
      const listed = Array.isArray(prediction) && prediction.length <= 5;
      const best: readonly unknown[] = listed
        ? prediction.map(plain)
        : scores
          ? topClasses(scores, 5)
          : [plain(prediction)];
      return [best.some((each) => same(each, label)) ? 1 : 0];
    },
    reduce: meanOfFirst,
  },
  {
    name: "auc",
    direction: "higher",
    against: "labels",
    proportion: false,
    flip: "threshold",
    read(outputs) {
      const output = mainOutput(outputs);
      const values = output && numbersOf(output);
      if (values?.length === 1) return values[0];
      if (values?.length === 2) return (values[1] as number) - (values[0] as number);
      throw wrongOutput("auc", "one score, or scores of two classes,");
    },
    row(prediction, truth, where) {
      const score = numbersFrom(prediction);
      if (score?.length !== 1) throw wrongOutput("auc", "one score per sample");
      const label = Number(plain(truth));
      if (truth === null || truth === undefined || (label !== 0 && label !== 1))
        throw wrongLabel(
          "auc",
          "labels 0 and 1",
          truth,
          where,
          "Give 1 to the samples that should score high and 0 to the others.",
        );
      return [score[0] as number, label];
    },
    reduce: (all) =>
      auc(
        all.map((row) => row[0] as number),
        all.map((row) => row[1] as number),
      ),
  },
  {
    name: "f1",
    direction: "higher",
    against: "labels",
    proportion: false,
    flip: "value",
    read: readClass("f1"),
    row(prediction, truth, where) {
      const got = Number(classOf("f1", prediction));
      const label = Number(classLabel("f1", truth, got, where));
      if (Number.isNaN(got) || Number.isNaN(label))
        throw wrongLabel("f1", "class numbers", truth, where, "Give labels as 0, 1, 2, …");
      checkRange("f1", prediction, label, where);
      return [got, label];
    },
    reduce: macroF1,
  },
  {
    name: "cer",
    direction: "lower",
    against: "labels",
    proportion: false,
    flip: "value",
    read() {
      throw wrongOutput("cer", "text");
    },
    row(prediction, truth, where) {
      if (typeof prediction !== "string") throw wrongOutput("cer", "text");
      if (typeof truth !== "string")
        throw wrongLabel(
          "cer",
          "the right text of each sample",
          truth,
          where,
          "Give each sample a `label`: the text that is to be read.",
        );
      return [editDistance(prediction, truth), Array.from(truth).length];
    },
    reduce(all) {
      const edits = all.reduce((sum, row) => sum + (row[0] as number), 0);
      return (
        edits /
        Math.max(
          1,
          all.reduce((sum, row) => sum + (row[1] as number), 0),
        )
      );
    },
  },
  {
    name: "exact-match",
    direction: "higher",
    against: "labels",
    proportion: true,
    flip: "value",
    read() {
      throw wrongOutput("exact-match", "text");
    },
    row(prediction, truth, where) {
      if (truth === null || truth === undefined)
        throw wrongLabel(
          "exact-match",
          "a label for every sample",
          truth,
          where,
          "Give each sample a `label`.",
        );
      return [same(plain(prediction), plain(truth)) ? 1 : 0];
    },
    reduce: meanOfFirst,
  },
  {
    name: "mse",
    direction: "lower",
    against: "either",
    proportion: false,
    flip: "none",
    read: readNumbers,
    row(prediction, truth, where) {
      const [got, expected] = pairOfNumbers("mse", prediction, truth, where);
      let sum = 0;
      for (let index = 0; index < got.length; index++)
        sum += ((got[index] as number) - (expected[index] as number)) ** 2;
      return [sum / Math.max(1, got.length)];
    },
    reduce: meanOfFirst,
  },
  {
    name: "cosine",
    direction: "higher",
    against: "either",
    proportion: false,
    flip: "none",
    read: readNumbers,
    row(prediction, truth, where) {
      const [got, expected] = pairOfNumbers("cosine", prediction, truth, where);
      let dot = 0;
      let a = 0;
      let b = 0;
      for (let index = 0; index < got.length; index++) {
        dot += (got[index] as number) * (expected[index] as number);
        a += (got[index] as number) ** 2;
        b += (expected[index] as number) ** 2;
      }
      if (a === 0 && b === 0) return [1];
      return [a === 0 || b === 0 ? 0 : Math.min(1, dot / Math.sqrt(a * b))];
    },
    reduce: meanOfFirst,
  },
  {
    name: "sqnr",
    direction: "higher",
    against: "either",
    proportion: false,
    flip: "none",
    read: readNumbers,
    row(prediction, truth, where) {
      const [got, expected] = pairOfNumbers("sqnr", prediction, truth, where);
      let signal = 0;
      let noise = 0;
      for (let index = 0; index < got.length; index++) {
        signal += (expected[index] as number) ** 2;
        noise += ((got[index] as number) - (expected[index] as number)) ** 2;
      }
      if (noise === 0) return [highestSqnr];
      return [signal === 0 ? 0 : Math.min(highestSqnr, 10 * Math.log10(signal / noise))];
    },
    reduce: meanOfFirst,
  },
  {
    name: "top1-agreement",
    direction: "higher",
    against: "float",
    proportion: true,
    flip: "value",
    read: readClass("top1-agreement"),
    row(prediction, truth) {
      return [
        same(classOf("top1-agreement", prediction), classOf("top1-agreement", truth)) ? 1 : 0,
      ];
    },
    reduce: meanOfFirst,
  },
] as const satisfies readonly Metric[];

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
