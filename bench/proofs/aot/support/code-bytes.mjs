import { brotliCompressSync } from "node:zlib";

/** Of the binary format (WebAssembly core specification 2.0, 5.5): what data lies in memory at the start, and how many pieces. */
const sectionsOfData = new Set([11, 12]);
/** The format's name and version. */
const preambleBytes = 8;

/** What a module's code takes after brotli: all but the data that it holds, which are weights and what is known of inputs. */
export function codeBytes(module) {
  const kept = [module.subarray(0, preambleBytes)];
  for (let at = preambleBytes; at < module.length;) {
    const begin = at;
    const id = module[at];
    let [size, shift] = [0, 0];
    do {
      at += 1;
      size += (module[at] & 0x7f) * 2 ** shift;
      shift += 7;
    } while (module[at] & 0x80);
    at += 1 + size;
    if (!sectionsOfData.has(id)) kept.push(module.subarray(begin, at));
  }
  return brotliCompressSync(Buffer.concat(kept)).length;
}
