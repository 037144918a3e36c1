/** sha256 as 64 hex digits. A page over plain http has no crypto.subtle; it hashes here, ten times slower. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (subtle === undefined) return sha256Sync(bytes);
  return hex(new Uint8Array(await subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>)), 2);
}

// FIPS 180-4: the fractional parts of the square roots of the first 8 primes and cube roots of the first 64.
function constants(): { initial: Int32Array; round: Int32Array } {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (!primes.some((p) => n % p === 0)) primes.push(n);
  const fractions = (root: (x: number) => number): Int32Array =>
    Int32Array.from(primes, (prime) => ((root(prime) % 1) * 2 ** 32) | 0);
  return { initial: fractions(Math.sqrt).slice(0, 8), round: fractions(Math.cbrt) };
}

let made: ReturnType<typeof constants> | undefined;

export function sha256Sync(bytes: Uint8Array): string {
  const { initial, round } = (made ??= constants());
  const { length } = bytes;
  const state = Int32Array.from(initial);
  const w = new Int32Array(64);
  const whole = length - (length % 64);
  compress(state, bytes.subarray(0, whole), w, round);
  // The last bytes, a bit of 1, zeros; the last eight bytes say how many bits the message has.
  const last = new Uint8Array(length - whole < 56 ? 64 : 128);
  last.set(bytes.subarray(whole));
  last[length - whole] = 128;
  const size = new DataView(last.buffer, last.byteLength - 8);
  size.setUint32(0, length / 2 ** 29);
  size.setUint32(4, length * 8);
  compress(state, last, w, round);
  return hex(state, 8);
}

/** @param bytes whole blocks */
function compress(state: Int32Array, bytes: Uint8Array, w: Int32Array, round: Int32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.byteLength; at += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15] as number;
      const y = w[i - 2] as number;
      const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
      const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
      w[i] = (w[i - 16] as number) + s0 + (w[i - 7] as number) + s1;
    }
    let a = state[0] as number;
    let b = state[1] as number;
    let c = state[2] as number;
    let d = state[3] as number;
    let e = state[4] as number;
    let f = state[5] as number;
    let g = state[6] as number;
    let h = state[7] as number;
    for (let i = 0; i < 64; i++) {
      const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (round[i] as number) + (w[i] as number)) | 0;
      const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    state[0] = (state[0] as number) + a;
    state[1] = (state[1] as number) + b;
    state[2] = (state[2] as number) + c;
    state[3] = (state[3] as number) + d;
    state[4] = (state[4] as number) + e;
    state[5] = (state[5] as number) + f;
    state[6] = (state[6] as number) + g;
    state[7] = (state[7] as number) + h;
  }
}

function rotate(x: number, by: number): number {
  return (x >>> by) | (x << (32 - by));
}

function hex(numbers: ArrayLike<number>, digits: number): string {
  let text = "";
  for (let i = 0; i < numbers.length; i++)
    text += ((numbers[i] as number) >>> 0).toString(16).padStart(digits, "0");
  return text;
}
