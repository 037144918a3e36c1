/**
 * The factor that brings all gradients together down to a norm, and leaves smaller ones as they are: Pascanu, Mikolov
 * and Bengio, On the difficulty of training recurrent neural networks, ICML 2013.
 */
export function clipFactor(norm: number, most: number): number {
  return norm > most ? most / norm : 1;
}
