/** The fractional part of the golden ratio, whose multiples modulo 1 lie more evenly than those of any other number. */
const step = (Math.sqrt(5) - 1) / 2;

/** Beyond this, a seed's multiples have no fraction left in double precision. */
const seeds = 2 ** 31;

/**
 * An order of which every beginning lies spread over the whole list: data sorted by class is not cut to one class, and
 * neither is data in which classes take turns, as it would be by taking every n-th. Items are sorted by
 * frac((i + seed) · (√5 − 1) / 2), Weyl's sequence: by the three-distance theorem the places of the first k are at most
 * three different distances apart, which are Fibonacci numbers.
 */
export function spreadOrder<T>(items: readonly T[], seed: number): readonly T[] {
  return items
    .map((item, index) => ({ item, key: ((index + (seed % seeds)) * step) % 1 }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
