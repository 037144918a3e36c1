import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Artifact, SizeBytes } from "@pare/runtime/format";

const toGzip = promisify(gzip);
const toBrotli = promisify(brotliCompress);

/**
 * Brotli's best quality saves a thousandth more and takes more than twice as long. On larger files what servers use for
 * answers does: the qualities between look eight times as long, and find nothing more in weights.
 */
function quality(bytes: number): number {
  return bytes <= 2 * 2 ** 20 ? 10 : 5;
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
