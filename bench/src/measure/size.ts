import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Artifact, SizeBytes } from "@pare/runtime/format";

const toGzip = promisify(gzip);
const toBrotli = promisify(brotliCompress);

/** Brotli's best quality saves a thousandth more and takes more than twice as long; on larger files less is worth the wait. */
function quality(bytes: number): number {
  if (bytes <= 2 * 2 ** 20) return 10;
  return bytes <= 32 * 2 ** 20 ? 9 : 5;
}

/** What has to be downloaded of an artifact: its file and its external data. */
export async function sizeOf({ files }: Artifact): Promise<SizeBytes> {
  const size = { raw: 0, gzip: 0, brotli: 0 };
  for (const { bytes } of files) {
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
