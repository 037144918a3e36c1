/** Sums over samples, for outputs that are each a sum of the same inputs, weighted. Row-major. */
export interface NormalEquations {
  /** Inputs of an output. */
  readonly unknowns: number;
  /** Σ x·xᵀ: [unknowns, unknowns]. */
  readonly gram: Float64Array;
  /** Σ y·xᵀ: [outputs, unknowns]. */
  readonly cross: Float64Array;
}

/**
 * Weights that bring what outputs are as close to what is wanted as samples tell, by ridge regression (Hoerl and Kennard
 * 1970) that holds them not to zero but to what they were: Σ (y − w·x)² + λ |w − w₀|² is least where
 * (w − w₀)(G + λI) = Σ y·xᵀ − w₀G. Takes unknowns³ / 6 + outputs × unknowns² multiply-accumulates.
 * @param before w₀, [outputs, unknowns]
 * @param ridge λ, as a share of the mean of G's diagonal: the larger, the less the samples are believed
 * @param hasIntercept the last input is 1 at every sample, and its weight is not held
 * @returns [outputs, unknowns]; null where the sums hold what is no number, or say nothing at all
 */
export function ridgeRegression(
  { unknowns, gram, cross }: NormalEquations,
  before: Float64Array,
  ridge: number,
  hasIntercept = false,
): Float64Array | null {
  const held = hasIntercept ? unknowns - 1 : unknowns;
  let trace = 0;
  for (let at = 0; at < held; at += 1) trace += gram[at * unknowns + at] as number;
  const lambda = held === 0 ? 0 : (ridge * trace) / held;
  const factor = gram.slice();
  for (let at = 0; at < held; at += 1)
    factor[at * unknowns + at] = (factor[at * unknowns + at] as number) + lambda;
  if (!choleskyInPlace(factor, unknowns)) return null;
  const weights = before.slice();
  const change = new Float64Array(unknowns);
  for (let start = 0; start < weights.length; start += unknowns) {
    residual(gram, before, cross, unknowns, start, change);
    solveInPlace(factor, unknowns, change);
    for (let at = 0; at < unknowns; at += 1)
      weights[start + at] = (weights[start + at] as number) + (change[at] as number);
  }
  return weights.every(Number.isFinite) ? weights : null;
}

/** Σ (y − w·x)² over all samples and outputs. @param squares Σ y² */
export function squaredError(
  { unknowns, gram, cross }: NormalEquations,
  squares: number,
  weights: Float64Array,
): number {
  let sum = squares;
  const rest = new Float64Array(unknowns);
  for (let start = 0; start < weights.length; start += unknowns) {
    residual(gram, weights, cross, unknowns, start, rest);
    // −2 w·c + w G w, of which `rest` is c − w G.
    for (let at = 0; at < unknowns; at += 1)
      sum -=
        (weights[start + at] as number) * ((cross[start + at] as number) + (rest[at] as number));
  }
  return Math.max(0, sum);
}

/** Of one output: Σ y·xᵀ − w G. */
function residual(
  gram: Float64Array,
  weights: Float64Array,
  cross: Float64Array,
  unknowns: number,
  start: number,
  into: Float64Array,
): void {
  for (let row = 0; row < unknowns; row += 1) {
    let sum = cross[start + row] as number;
    const base = row * unknowns;
    for (let at = 0; at < unknowns; at += 1)
      sum -= (weights[start + at] as number) * (gram[base + at] as number);
    into[row] = sum;
  }
}

/** The lower factor L of A = L Lᵀ in A's lower half. False where A is not positive definite. */
function choleskyInPlace(a: Float64Array, size: number): boolean {
  for (let row = 0; row < size; row += 1) {
    const own = row * size;
    for (let column = 0; column <= row; column += 1) {
      const other = column * size;
      let sum = a[own + column] as number;
      for (let at = 0; at < column; at += 1)
        sum -= (a[own + at] as number) * (a[other + at] as number);
      if (column < row) a[own + column] = sum / (a[other + column] as number);
      else if (sum > 0) a[own + row] = Math.sqrt(sum);
      else return false;
    }
  }
  return true;
}

/** x of L Lᵀ x = b, in b's place. */
function solveInPlace(factor: Float64Array, size: number, b: Float64Array): void {
  for (let row = 0; row < size; row += 1) {
    let sum = b[row] as number;
    const own = row * size;
    for (let at = 0; at < row; at += 1) sum -= (factor[own + at] as number) * (b[at] as number);
    b[row] = sum / (factor[own + row] as number);
  }
  // Column by column, for rows lie one after the other.
  for (let row = size - 1; row >= 0; row -= 1) {
    const own = row * size;
    const value = (b[row] as number) / (factor[own + row] as number);
    b[row] = value;
    for (let at = 0; at < row; at += 1)
      b[at] = (b[at] as number) - value * (factor[own + at] as number);
  }
}
