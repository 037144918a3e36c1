const text = new TextEncoder();

/** Bytes as they come, in WebAssembly's encodings of numbers. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** What was written so far: a view that the next write may leave behind. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  bytes(values: Uint8Array | readonly number[]): void {
    this.#reserve(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
  }

  /** LEB128 of 0…2³²−1. */
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** LEB128 of a signed 32-bit integer. */
  signed(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      // The last byte's sign bit says what all bits above it are.
      if (rest === (low & 0x40 ? -1 : 0)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  /** LEB128 of a signed 64-bit integer. */
  signedLong(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      if (rest === (low & 0x40 ? -1n : 0n)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  float32(value: number): void {
    this.bytes(new Uint8Array(Float32Array.of(value).buffer));
  }

  /** UTF-8 with its length before it. */
  name(value: string): void {
    this.sized(text.encode(value));
  }

  /** Bytes with their number before them. */
  sized(values: Uint8Array): void {
    this.unsigned(values.length);
    this.bytes(values);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#length + count, this.#bytes.length * 2));
    grown.set(this.written);
    this.#bytes = grown;
  }
}
