import { PareError } from "../error.js";

/** Bytes that are read where and when they are needed: a file, a Blob, a buffer. */
export interface ByteSource {
  readonly size: number;
  /** @throws PareError MODEL_TRUNCATED when the range does not lie inside */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A source over bytes that are in memory; what it reads are views, not copies. */
export function byteSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.byteLength,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > bytes.byteLength) {
        const message = `${length} bytes at ${offset} do not lie inside the ${bytes.byteLength} that there are.`;
        return Promise.reject(
          new PareError("MODEL_TRUNCATED", message, { where: `byte ${offset}` }),
        );
      }
      return Promise.resolve(bytes.subarray(offset, offset + length));
    },
  };
}
