import type { Cells } from "../schema/schemas.js";

/** Scales and zero points of an operator: numbers of a rounding, which nobody trained. */
export interface Scales {
  /** The inputs that hold them. */
  readonly inputs: readonly number[];
  /** Where the first of so many tensors is, each with its scale and zero point behind it. */
  readonly threesFrom?: number;
  /** The output that is a scale. */
  readonly output?: number;
}

export function holdsScale({ inputs, threesFrom }: Scales, index: number): boolean {
  const isOfThree = threesFrom !== undefined && index > threesFrom && (index - threesFrom) % 3 > 0;
  return isOfThree || inputs.includes(index);
}

const ofOne: Scales = { inputs: [1, 2] };
const zeroPoints: Scales = { inputs: [2, 3] };
const ofTwo: Scales = { inputs: [1, 2, 3, 4] };
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
  "com.microsoft::QLinearConv": ofThree,
  "com.microsoft::QGemm": { inputs: [1, 2, 4, 5, 7, 8] },
  "com.microsoft::QLinearAdd": ofThree,
  "com.microsoft::QLinearMul": ofThree,
  "com.microsoft::QLinearSigmoid": ofTwo,
  "com.microsoft::QLinearLeakyRelu": ofTwo,
  "com.microsoft::QLinearGlobalAveragePool": ofTwo,
  "com.microsoft::QLinearAveragePool": ofTwo,
  "com.microsoft::QLinearConcat": { inputs: [0, 1], threesFrom: 2 },
  "com.microsoft::QLinearWhere": { inputs: [2, 3, 5, 6, 7, 8] },
  "com.microsoft::QLinearSoftmax": ofTwo,
  "com.microsoft::DynamicQuantizeMatMul": { inputs: [2, 3] },
  "com.microsoft::MatMulIntegerToFloat": { inputs: [2, 3, 4, 5] },
  "com.microsoft::QAttention": { inputs: [3, 4, 6, 7] },
  "com.microsoft::QEmbedLayerNormalization": { inputs: [8, 9, 10, 11, 12, 13, 14, 15, 16, 17] },
  "com.microsoft::MatMulNBits": { inputs: [2, 3] },
  "com.microsoft::GatherBlockQuantized": { inputs: [2, 3] },
};
