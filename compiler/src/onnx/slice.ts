import type { ByteSource } from "@pare/runtime/format";

/** Bytes that were not read while walking: where they are. */
export class Slice {
  readonly source: ByteSource;
  readonly offset: number;
  readonly length: number;

  constructor(source: ByteSource, offset: number, length: number) {
    this.source = source;
    this.offset = offset;
    this.length = length;
  }

  read(): Promise<Uint8Array> {
    return this.source.read(this.offset, this.length);
  }
}

const chunk = 64 * 1024;

/** The part of a source that is in memory while walking over it. */
export class Window {
  readonly source: ByteSource;
  #start = 0;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(source: ByteSource) {
    this.source = source;
  }

  /** The bytes where they are in memory, else undefined: then `load` them. */
  peek(offset: number, length: number): Uint8Array | undefined {
    const start = offset - this.#start;
    if (start < 0 || start + length > this.#bytes.byteLength) return undefined;
    return this.#bytes.subarray(start, start + length);
  }

  async load(offset: number, length: number): Promise<Uint8Array> {
    const size = Math.min(Math.max(length, chunk), this.source.size - offset);
    this.#bytes = await this.source.read(offset, size);
    this.#start = offset;
    return this.#bytes.subarray(0, length);
  }
}
