import type { ByteSource } from "./backend.js";
import { PareError } from "../error.js";

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
