import { seeded, shuffle } from "../statistics/random.js";

/**
 * A split's samples in an order drawn from the seed, the same for all models: the first fifty are from all over the
 * split, however it was sorted, and are among the first two hundred.
 */
export function sampleOrder(indexes: readonly number[], seed: number): readonly number[] {
  return shuffle([...indexes], seeded(seed ^ 0x5eed));
}
