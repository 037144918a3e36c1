/** Functions of one number that operators and the cells of recurrent ones have in common, with ONNX's defaults. */
export type Real = (x: number) => number;

export const relu: Real = (x) => (x < 0 ? 0 : x);
export const sigmoid: Real = (x) => 1 / (1 + Math.exp(-x));
/** log(1 + eˣ), where neither end overflows. */
export const softplus: Real = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
export const softsign: Real = (x) => x / (1 + Math.abs(x));

export function elu(alpha = 1): Real {
  return (x) => (x < 0 ? alpha * Math.expm1(x) : x);
}

// A float attribute's default is the float32 nearest to it.
export function leakyRelu(alpha = Math.fround(0.01)): Real {
  return (x) => (x < 0 ? alpha * x : x);
}

export function thresholdedRelu(alpha = 1): Real {
  return (x) => (x > alpha ? x : 0);
}

export function hardSigmoid(alpha = Math.fround(0.2), beta = 0.5): Real {
  return (x) => Math.max(0, Math.min(1, alpha * x + beta));
}
