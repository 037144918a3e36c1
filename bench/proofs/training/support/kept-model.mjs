// Models that proofs train before they show anything: made once, and kept beside the other large files of the fixtures.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The model that `make` makes, or made before of the same. What is kept was trained by the code of that day: without
 * `fixtures/.cache/trained` all are trained anew.
 *
 * @param {string} root
 * @param {string} name of the file, with a hash behind it
 * @param {readonly (Uint8Array | string)[]} from all that tells it from others: the untrained file, samples, options
 * @param {() => Promise<Uint8Array>} make
 */
export async function keptModel(root, name, from, make) {
  const hash = createHash("sha256");
  for (const part of from) hash.update(part).update("\0");
  const folder = join(root, "fixtures/.cache/trained");
  const file = join(folder, `${name}-${hash.digest("hex").slice(0, 16)}.onnx`);
  if (existsSync(file)) return readFileSync(file);
  const bytes = await make();
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, bytes);
  renameSync(`${file}.${process.pid}`, file);
  return bytes;
}
