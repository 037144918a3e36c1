import type { Cells } from "../schema/schemas.js";

/** Between which numbers every element of the result lies, whatever the input: [least, greatest]. NaN apart. */
export type Range = readonly [number, number];

const notNegative: Range = [0, Infinity];
const share: Range = [0, 1];
const signed: Range = [-1, 1];

export const range: Cells<Range> = {
  Abs: notNegative,
  Exp: notNegative,
  Sqrt: notNegative,
  Relu: notNegative,
  Softplus: notNegative,
  ReduceL1: notNegative,
  ReduceL2: notNegative,
  ReduceSumSquare: notNegative,
  Sigmoid: share,
  HardSigmoid: share,
  Softmax: share,
  Hardmax: share,
  LogSoftmax: [-Infinity, 0],
  Erf: signed,
  Sign: signed,
  Sin: signed,
  Cos: signed,
  Tanh: signed,
  Softsign: signed,
};
