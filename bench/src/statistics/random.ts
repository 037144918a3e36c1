/** Numbers in [0, 1) from a 32-bit seed: splitmix32, the same on every engine. */
export type Random = () => number;

export function seeded(seed: number): Random {
  // A variable of a closure that outgrows 31 bits would be written to the heap anew with each number.
  const state = Int32Array.of(seed);
  return () => {
    const now = (state[0] = (state[0] as number) + 0x9e3779b9) | 0;
    let mixed = now ^ (now >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) / 4294967296;
  };
}

/** A whole number in [0, below). */
export function pick(random: Random, below: number): number {
  return Math.floor(random() * below);
}

/** Fisher–Yates, in place. */
export function shuffle<T>(items: T[], random: Random): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = pick(random, last + 1);
    const held = items[last] as T;
    items[last] = items[other] as T;
    items[other] = held;
  }
  return items;
}
