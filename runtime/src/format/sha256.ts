/** sha256 as 64 hex digits. A page over plain http has no crypto.subtle; it hashes here, ten times slower. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (subtle === undefined) return sha256Sync(bytes);
  return hex(new Uint8Array(await subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>)), 2);
}

// FIPS 180-4: the fractional parts of the square roots of the first 8 primes and cube roots of the first 64.
function constants(): { initial: number[]; round: number[] } {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (!primes.some((p) => n % p === 0)) primes.push(n);
  const fractions = (root: (x: number) => number): number[] =>
    primes.map((prime) => ((root(prime) % 1) * 2 ** 32) | 0);
  return { initial: fractions(Math.sqrt).slice(0, 8), round: fractions(Math.cbrt) };
}

let made: ReturnType<typeof constants> | undefined;

export function sha256Sync(bytes: Uint8Array): string {
  const { initial, round } = (made ??= constants());
  const { length } = bytes;
  const state = Int32Array.from(initial);
  const w = new Int32Array(64);
  const block = new Uint8Array(64);
  const words = new DataView(block.buffer);
  // The message, a bit of 1, zeros; the last eight bytes say how many bits it has.
  for (let at = 0; at < length + 9; at += 64) {
    block.fill(0);
    block.set(bytes.subarray(at, at + 64));
    block[length - at] = 128; // outside the block it is ignored
    if (at + 64 >= length + 9) {
      words.setUint32(56, length / 2 ** 29);
      words.setUint32(60, length * 8);
    }
    // a … h: each round writes d and h, and what was h is then a.
    const turning = state.slice();
    for (let i = 0; i < 64; i++) {
      const x = get(w, i - 15);
      const y = get(w, i - 2);
      const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
      const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
      w[i] = i < 16 ? words.getInt32(4 * i) : get(w, i - 16) + s0 + get(w, i - 7) + s1;
      const a = get(turning, -i & 7);
      const b = get(turning, (1 - i) & 7);
      const c = get(turning, (2 - i) & 7);
      const e = get(turning, (4 - i) & 7);
      const t1 =
        get(turning, (7 - i) & 7) +
        (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
        ((e & get(turning, (5 - i) & 7)) ^ (~e & get(turning, (6 - i) & 7))) +
        get(round, i) +
        get(w, i);
      const s2 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
      turning[(3 - i) & 7] = get(turning, (3 - i) & 7) + t1;
      turning[(7 - i) & 7] = t1 + s2 + ((a & b) ^ (a & c) ^ (b & c));
    }
    turning.forEach((value, i) => (state[i] = get(state, i) + value));
  }
  return hex(state, 8);
}

function get(array: ArrayLike<number>, index: number): number {
  return array[index] ?? 0;
}

function rotate(x: number, by: number): number {
  return (x >>> by) | (x << (32 - by));
}

function hex(numbers: ArrayLike<number>, digits: number): string {
  return Array.from(numbers, (n) => (n >>> 0).toString(16).padStart(digits, "0")).join("");
}
