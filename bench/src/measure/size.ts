import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { SizeBytes } from "@pare/runtime/format";
import type { ModelBytes } from "../engines/model-bytes.js";

const toGzip = promisify(gzip);
const toBrotli = promisify(brotliCompress);

/** Brotli's best quality takes a second a megabyte: what larger files would save by it is not worth the wait. */
function quality(bytes: number): number {
  if (bytes <= 2 * 2 ** 20) return 11;
  return bytes <= 32 * 2 ** 20 ? 9 : 5;
}

export function hashOf(model: ModelBytes): string {
  const hash = createHash("sha256").update(model.proto);
  for (const [location, bytes] of Object.entries(model.external))
    hash.update(location).update(bytes);
  return hash.digest("hex");
}

/** What has to be downloaded of a model: its file and its external data. */
export async function sizeOf(model: ModelBytes): Promise<SizeBytes> {
  const size = { raw: 0, gzip: 0, brotli: 0 };
  for (const bytes of [model.proto, ...Object.values(model.external)]) {
    size.raw += bytes.byteLength;
    size.gzip += (await toGzip(bytes, { level: 9 })).byteLength;
    size.brotli += (
      await toBrotli(bytes, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: quality(bytes.byteLength),
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength,
        },
      })
    ).byteLength;
  }
  return size;
}
