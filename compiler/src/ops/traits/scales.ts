import type { Cells } from "../schema/schemas.js";

/** Scales and zero points of an operator: numbers of a rounding, which nobody trained. */
export interface Scales {
  /** The inputs that hold them. */
  readonly inputs: readonly number[];
  /** The output that is a scale. */
  readonly output?: number;
}

const ofOne: Scales = { inputs: [1, 2] };
const zeroPoints: Scales = { inputs: [2, 3] };
const ofThree: Scales = { inputs: [1, 2, 4, 5, 6, 7] };

export const scales: Cells<Scales> = {
  QuantizeLinear: ofOne,
  DequantizeLinear: ofOne,
  "com.microsoft::QuantizeLinear": ofOne,
  "com.microsoft::DequantizeLinear": ofOne,
  DynamicQuantizeLinear: { inputs: [], output: 1 },
  MatMulInteger: zeroPoints,
  ConvInteger: zeroPoints,
  QLinearMatMul: ofThree,
  QLinearConv: ofThree,
  "com.microsoft::DynamicQuantizeMatMul": { inputs: [2, 3] },
  "com.microsoft::MatMulNBits": { inputs: [2, 3] },
};
