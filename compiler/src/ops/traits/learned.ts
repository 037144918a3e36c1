import type { Cells } from "../schema/schemas.js";

/** An input whose constant was learned, and what it is. */
export interface LearnedInput {
  readonly input: number;
  /** `mean` and `variance` are running statistics: no gradient reaches them, training counts them. */
  readonly as: "weight" | "bias" | "scale" | "mean" | "variance";
  /** The constant is learned only where it is of this rank: others are shapes, masks, anchors. */
  readonly rank?: number;
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

export const learned: Cells<readonly LearnedInput[]> = {
  Conv: weightsAndBias,
  ConvTranspose: weightsAndBias,
  Gemm: [{ input: 0, as: "weight" }, ...weightsAndBias],
  MatMul: [
    { input: 0, as: "weight" },
    { input: 1, as: "weight" },
  ],
  // A table of rows.
  Gather: [{ input: 0, as: "weight", rank: 2 }],
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
  PRelu: [{ input: 1, as: "scale" }],
  BatchNormalization: [...scaleAndBias, { input: 3, as: "mean" }, { input: 4, as: "variance" }],
  LayerNormalization: scaleAndBias,
  InstanceNormalization: scaleAndBias,
  GroupNormalization: scaleAndBias,
};
