/** √(Σ g²) over all gradients; not finite where any of their elements is not. */
export function globalNorm(gradients: readonly Float32Array[]): number {
  let sum = 0;
  for (const gradient of gradients) sum += squares(gradient);
  return Math.sqrt(sum);
}

function squares(values: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] as number;
    sum += value * value;
  }
  return sum;
}

/**
 * The factor that brings all gradients together down to a norm, and leaves smaller ones as they are: Pascanu, Mikolov
 * and Bengio, On the difficulty of training recurrent neural networks, ICML 2013.
 */
export function clipFactor(norm: number, most: number): number {
  return norm > most ? most / norm : 1;
}
