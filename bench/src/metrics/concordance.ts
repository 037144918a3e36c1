import { isNumeric, numbersOf, type Tensors } from "@pare/runtime/format";
import { type Answer, quantityAnswer, wholeAnswer } from "./answers.js";
import type { Metric, Row } from "./metric.js";
import { isFloat } from "./outputs.js";
import { numbersFrom, wrongLabel, wrongOutput } from "./readings.js";

/** A model's outputs, or what a `predict` says: numbers that are measured, and what is the same or another. */
export interface Said {
  readonly quantities: readonly ArrayLike<number>[];
  readonly discrete: readonly ArrayLike<unknown>[];
}

/** How many numbers a row has of each quantity, and of each discrete output. */
const [ofQuantity, ofDiscrete] = [6, 2];

/**
 * Of a value's size so much counts as its spread: one that hardly varies over the samples is held to be nearly what it was, and
 * not to its last bits.
 */
const leastSpread = 1e-3;

/**
 * Lin's concordance correlation coefficient (A concordance correlation coefficient to evaluate reproducibility, Biometrics 45,
 * 1989) of what a candidate says and what the float model says, over all elements of all samples: 1 − Σ(a − b)² over both
 * spreads around their means and n times the means' squared distance. 1 for equal numbers, 0 for a constant; of numbers whose
 * mean is 0 it is about their cosine. The least of all outputs counts: another one's size hides none. Where no output is
 * measured, it is the share of elements that are the same.
 */
export const concordance = {
  name: "concordance",
  direction: "higher",
  against: "either",
  proportion: false,
  flip: "answer",
  answer: discreteAnswer,
  read: saidIn,
  row(prediction, truth, where) {
    const got = asSaid(prediction);
    const expected = asSaid(truth);
    if (got === null) throw wrongOutput("concordance", "numbers");
    const [one, other] = [got, expected].map((said) => said?.quantities.length ?? 0);
    const isOne = typeof truth === "number" && got.quantities.some(({ length }) => length > 1);
    if (expected === null || one !== other || isOne)
      throw wrongLabel(
        "concordance",
        "as many lists of numbers as the model gives",
        truth,
        where,
        "Give labels of the outputs' size, or none to compare with the float model.",
      );
    return [
      got.quantities.length,
      ...got.quantities.flatMap((own, at) => sums(own, expected.quantities[at] ?? [])),
      ...got.discrete.flatMap((own, at) => equals(own, expected.discrete[at] ?? [])),
    ];
  },
  reduce(rows) {
    const [first = []] = rows;
    const total = new Float64Array(first.length);
    for (const row of rows) row.forEach((value, at) => (total[at] = (total[at] ?? 0) + value));
    const count = first[0] ?? 0;
    const behind = 1 + count * ofQuantity;
    const quantities = starts(1, ofQuantity, behind).map((at) => coefficient(total, at));
    const shares = starts(behind, ofDiscrete, total.length).map(
      (at) => (total[at + 1] ?? 0) / Math.max(1, total[at] ?? 0),
    );
    return Math.min(1, ...(quantities.length > 0 ? quantities : shares));
  },
} as const satisfies Metric;

/** Where in a row parts of a size begin. */
function starts(from: number, size: number, end: number): readonly number[] {
  return Array.from({ length: Math.floor((end - from) / size) }, (_, at) => from + at * size);
}

function isSaid(value: unknown): value is Said {
  return (
    typeof value === "object" && value !== null && "quantities" in value && "discrete" in value
  );
}

/** What was read of outputs, or what a `predict` returned, or a label: then it is one list of numbers. */
function asSaid(value: unknown): Said | null {
  if (isSaid(value)) return value;
  const numbers = numbersFrom(value);
  return numbers && { quantities: [numbers], discrete: [] };
}

function saidIn(outputs: Tensors): Said {
  const all = Object.values(outputs);
  return {
    quantities: all.filter(isFloat).flatMap((tensor) => numbersOf(tensor) ?? []),
    discrete: all.filter((tensor) => !isFloat(tensor)).map(elementsOf),
  };
}

function elementsOf(tensor: Tensors[string]): ArrayLike<unknown> {
  return isNumeric(tensor.type) ? (numbersOf(tensor) ?? []) : tensor.data;
}

/** What only one of them has (boxes that were found) is held against zeros. */
function sums(got: ArrayLike<number>, expected: ArrayLike<number>): Row {
  const count = Math.max(got.length, expected.length);
  let [sumA, sumB, squaresA, squaresB, apart] = [0, 0, 0, 0, 0];
  for (let at = 0; at < count; at += 1) {
    const [a, b] = [got[at] ?? 0, expected[at] ?? 0];
    // Where both mask the same, nothing is apart, and no sum is a number.
    if (a === b && !Number.isFinite(a)) continue;
    sumA += a;
    sumB += b;
    squaresA += a * a;
    squaresB += b * b;
    apart += (a - b) ** 2;
  }
  return [count, sumA, sumB, squaresA, squaresB, apart];
}

function coefficient(total: Float64Array, at: number): number {
  const [count = 0, sumA = 0, sumB = 0, squaresA = 0, squaresB = 0, apart = 0] = total.slice(at);
  if (count === 0 || apart === 0) return 1;
  const spread = squaresA - sumA ** 2 / count + squaresB - sumB ** 2 / count;
  const shift = (sumA - sumB) ** 2 / count;
  return 1 - apart / (Math.max(0, spread) + shift + leastSpread * (squaresA + squaresB));
}

function equals(got: ArrayLike<unknown>, expected: ArrayLike<unknown>): Row {
  const count = Math.max(got.length, expected.length);
  let same = 0;
  for (let at = 0; at < count; at += 1) if (got[at] === expected[at]) same += 1;
  return [count, same];
}

/** More are a map, as of the class of each place of an image, which differs a little on every sample. */
const mostOfAnswer = 256;

/** Of a model that gives classes, places or texts beside its numbers: those are the same, or others. */
function discreteAnswer(prediction: unknown): Answer {
  if (!isSaid(prediction)) return quantityAnswer(prediction);
  const { quantities, discrete } = prediction;
  if (discrete.length === 0)
    return quantityAnswer(quantities.length === 1 ? quantities[0] : quantities);
  const count = discrete.reduce((sum, { length }) => sum + length, 0);
  return count > mostOfAnswer
    ? quantityAnswer(discrete)
    : wholeAnswer(discrete.flatMap((one) => Array.from(one)));
}
