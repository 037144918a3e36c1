import { einsumLabels } from "../families/einsum.js";
import type { AttributeReader } from "../schema/attributes.js";
import type { Cells } from "../schema/schemas.js";

/** An input whose constant was learned, and what it is. */
export interface LearnedInput {
  readonly input: number;
  /** `mean` and `variance` are running statistics: no gradient reaches them, training counts them. */
  readonly as: "weight" | "bias" | "scale" | "mean" | "variance";
  /** The constant is learned only where it is of this rank: others are shapes, masks, anchors. */
  readonly rank?: number;
  /** Of operators whose attributes say which axes are summed over: learned only where there are some. */
  readonly fans?: (ranks: readonly number[], attributes: AttributeReader) => Fans;
}

/** Axes of a weight. */
export interface Fans {
  /** Those that a product sums over. */
  readonly inputs: readonly number[];
  /** Those that the result has of it alone. */
  readonly outputs: readonly number[];
}

const weightsAndBias: readonly LearnedInput[] = [
  { input: 1, as: "weight" },
  { input: 2, as: "bias" },
];
const scaleAndBias: readonly LearnedInput[] = [
  { input: 1, as: "scale" },
  { input: 2, as: "bias" },
];
const recurrent: readonly LearnedInput[] = [
  { input: 1, as: "weight" },
  { input: 2, as: "weight" },
  { input: 3, as: "bias" },
];

/** Not what an outer product has, such as the frequencies of positions. */
const inEinsum = (input: number): LearnedInput => ({
  input,
  as: "weight",
  fans(ranks, attributes) {
    const labels = einsumLabels(attributes.string("equation", ""), ranks);
    const result = new Set(labels?.result);
    const others = new Set(labels?.operands.toSpliced(input, 1).flat());
    const axes = (isWanted: (label: string) => boolean): readonly number[] =>
      (labels?.operands[input] ?? []).flatMap((label, axis) => (isWanted(label) ? [axis] : []));
    return {
      inputs: axes((label) => others.has(label) && !result.has(label)),
      outputs: axes((label) => result.has(label) && !others.has(label)),
    };
  },
});

export const learned: Cells<readonly LearnedInput[]> = {
  Conv: weightsAndBias,
  ConvTranspose: weightsAndBias,
  Gemm: [{ input: 0, as: "weight" }, ...weightsAndBias],
  MatMul: [
    { input: 0, as: "weight" },
    { input: 1, as: "weight" },
  ],
  Einsum: [0, 1, 2].map(inEinsum),
  // A table of rows.
  Gather: [{ input: 0, as: "weight", rank: 2 }],
  // Peepholes.
  LSTM: [...recurrent, { input: 7, as: "weight" }],
  GRU: recurrent,
  RNN: recurrent,
  PRelu: [{ input: 1, as: "scale" }],
  BatchNormalization: [...scaleAndBias, { input: 3, as: "mean" }, { input: 4, as: "variance" }],
  LayerNormalization: scaleAndBias,
  InstanceNormalization: scaleAndBias,
  GroupNormalization: scaleAndBias,
};
