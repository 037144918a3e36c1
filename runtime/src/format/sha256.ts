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
  // The message, a bit of 1, zeros; the last eight bytes say how many bits it has.
  const byte = (at: number): number => (at === length ? 128 : (bytes[at] ?? 0));
  for (let at = 0; at < length + 9; at += 64) {
    for (let i = 0; i < 16; i++) {
      const first = at + 4 * i;
      w[i] =
        (byte(first) << 24) | (byte(first + 1) << 16) | (byte(first + 2) << 8) | byte(first + 3);
    }
    if (at + 64 >= length + 9) {
      w[14] = length / 2 ** 29;
      w[15] = length * 8;
    }
    for (let i = 16; i < 64; i++) {
      const x = get(w, i - 15);
      const y = get(w, i - 2);
      const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
      const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
      w[i] = get(w, i - 16) + s0 + get(w, i - 7) + s1;
    }
    let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
    for (let i = 0; i < 64; i++) {
      const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + get(round, i) + get(w, i)) | 0;
      const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => (state[i] = get(state, i) + value));
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
