/** A square matrix, row-major. */
export type Square = Float64Array;

/** The lower L of A = L Lᵀ; A is symmetric and positive definite. */
function cholesky(a: Square, size: number): Square {
  const l = new Float64Array(a.length);
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column <= row; column += 1) {
      let sum = a[row * size + column] as number;
      for (let k = 0; k < column; k += 1)
        sum -= (l[row * size + k] as number) * (l[column * size + k] as number);
      l[row * size + column] =
        row === column ? Math.sqrt(sum) : sum / (l[column * size + column] as number);
    }
  }
  return l;
}

/** A⁻¹ = L⁻ᵀ L⁻¹. */
function inverse(a: Square, size: number): Square {
  const l = cholesky(a, size);
  const result = new Float64Array(a.length);
  for (let column = 0; column < size; column += 1) {
    const x = new Float64Array(size);
    for (let row = 0; row < size; row += 1) {
      let sum = row === column ? 1 : 0;
      for (let k = 0; k < row; k += 1) sum -= (l[row * size + k] as number) * (x[k] as number);
      x[row] = sum / (l[row * size + row] as number);
    }
    for (let row = size - 1; row >= 0; row -= 1) {
      let sum = x[row] as number;
      for (let k = row + 1; k < size; k += 1)
        sum -= (l[k * size + row] as number) * (x[k] as number);
      x[row] = sum / (l[row * size + row] as number);
    }
    for (let row = 0; row < size; row += 1) result[row * size + column] = x[row] as number;
  }
  return result;
}

/** Share of the mean diagonal that is added to it: some inputs are never seen. */
const damping = 0.01;

/**
 * How the error of rounding one weight of a block is made up for by those after it: U of (XᵀX)⁻¹ = Uᵀ U, upper
 * triangular (Frantar et al. 2022, "GPTQ"), for a block alone.
 */
export function compensation(moments: Square, size: number): Square {
  let mean = 0;
  for (let i = 0; i < size; i += 1) mean += (moments[i * size + i] as number) / size;
  const damped = moments.slice();
  for (let i = 0; i < size; i += 1)
    damped[i * size + i] = (damped[i * size + i] as number) + damping * mean + 1e-9;
  const lower = cholesky(inverse(damped, size), size);
  const upper = new Float64Array(lower.length);
  for (let row = 0; row < size; row += 1)
    for (let column = 0; column <= row; column += 1)
      upper[column * size + row] = lower[row * size + column] as number;
  return upper;
}

/** Weights that, each rounded to the nearest, keep the block's products: what rounding takes, later weights give. */
export function compensated(
  weights: Float64Array,
  upper: Square,
  rounded: (weight: number) => number,
): Float64Array {
  const size = weights.length;
  const moved = weights.slice();
  for (let i = 0; i < size; i += 1) {
    const weight = moved[i] as number;
    const error = (weight - rounded(weight)) / (upper[i * size + i] as number);
    for (let j = i + 1; j < size; j += 1)
      moved[j] = (moved[j] as number) - error * (upper[i * size + j] as number);
  }
  return moved;
}
