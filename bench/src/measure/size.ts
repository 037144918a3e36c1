import type { Transform } from "node:stream";
import { finished } from "node:stream/promises";
import { constants, createBrotliCompress, createGzip } from "node:zlib";
import { type Artifact, downloadedFiles, type SizeBytes } from "@pare/runtime/format";

/**
 * Brotli's best quality saves a thousandth more and takes more than twice as long. On larger files what servers use for
 * answers does: the qualities between look eight times as long, and find nothing more in weights.
 */
function quality(bytes: number): number {
  return bytes <= 2 * 2 ** 20 ? 10 : 5;
}

const chunkSize = 2 ** 20;

/** What has to be downloaded of an artifact: its file and its external data; of two modules the larger. */
export async function sizeOf(artifact: Artifact): Promise<SizeBytes> {
  const size = { raw: 0, gzip: 0, brotli: 0 };
  for (const { bytes } of downloadedFiles(artifact, ({ name }) => name)) {
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: quality(bytes.byteLength),
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength,
    };
    const [gzip, brotli] = await Promise.all([
      lengthAfter(createGzip({ level: 9, chunkSize }), bytes),
      lengthAfter(createBrotliCompress({ params, chunkSize }), bytes),
    ]);
    size.raw += bytes.byteLength;
    size.gzip += gzip;
    size.brotli += brotli;
  }
  return size;
}

/** What comes out is counted and let go: of large files it is as much as went in. */
async function lengthAfter(compressor: Transform, bytes: Uint8Array): Promise<number> {
  let length = 0;
  compressor.on("data", (chunk: Uint8Array) => (length += chunk.byteLength));
  compressor.end(bytes);
  await finished(compressor);
  return length;
}
