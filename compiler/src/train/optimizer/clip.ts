/** √(Σ g²) over all gradients; not finite where any of their elements is not. */
export function globalNorm(gradients: readonly Float32Array[]): number {
  let sum = 0;
  for (const gradient of gradients) sum += squares(gradient);
  return Math.sqrt(sum);
}

/** Four sums beside one another: none waits for the one before. */
function squares(values: Float32Array): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  const whole = values.length - (values.length % 4);
  for (let at = 0; at < whole; at += 4) {
    const p = values[at] as number;
    const q = values[at + 1] as number;
    const r = values[at + 2] as number;
    const s = values[at + 3] as number;
    a += p * p;
    b += q * q;
    c += r * r;
    d += s * s;
  }
  for (let at = whole; at < values.length; at += 1) a += (values[at] as number) ** 2;
  return a + b + (c + d);
}

/**
 * The factor that brings all gradients together down to a norm, and leaves smaller ones as they are: Pascanu, Mikolov
 * and Bengio, On the difficulty of training recurrent neural networks, ICML 2013.
 */
export function clipFactor(norm: number, most: number): number {
  return norm > most ? most / norm : 1;
}
