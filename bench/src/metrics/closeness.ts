import { quantityAnswer, wholeAnswer } from "./answers.js";
import { editDistance } from "./edit-distance.js";
import { type Metric, meanOfFirst } from "./metric.js";
import { pairOfNumbers, readNumbers, wrongLabel, wrongOutput } from "./readings.js";

/** Signal to quantization noise of a float32 that differs in its last bit only: more means nothing. */
const highestSqnr = 144;

/** Of two lists of numbers, sample by sample. */
const betweenNumbers = {
  against: "either",
  proportion: false,
  flip: "none",
  answer: quantityAnswer,
  read: readNumbers,
  reduce: meanOfFirst,
} as const;

/** Metrics of how near outputs come to the truth, or to the float model. */
export const closeness = [
  {
    name: "cer",
    direction: "lower",
    against: "labels",
    proportion: false,
    flip: "answer",
    answer: wholeAnswer,
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
      const total = (at: number) => all.reduce((sum, row) => sum + (row[at] as number), 0);
      return total(0) / Math.max(1, total(1));
    },
  },
  {
    ...betweenNumbers,
    name: "mse",
    direction: "lower",
    row(prediction, truth, where) {
      const [got, expected] = pairOfNumbers("mse", prediction, truth, where);
      let sum = 0;
      for (let index = 0; index < got.length; index++)
        sum += ((got[index] as number) - (expected[index] as number)) ** 2;
      return [sum / Math.max(1, got.length)];
    },
  },
  {
    ...betweenNumbers,
    name: "cosine",
    direction: "higher",
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
  },
  {
    ...betweenNumbers,
    name: "sqnr",
    direction: "higher",
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
  },
] as const satisfies readonly Metric[];
