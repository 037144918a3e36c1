import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { brotliCompressSync } from "node:zlib";

/** What a page downloads after brotli: of the engine's smallest build: its script and its WebAssembly. */
export function engineBytes() {
  const place = dirname(createRequire(import.meta.url).resolve("onnxruntime-web/wasm"));
  return ["ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"].reduce(
    (sum, name) => sum + brotliCompressSync(readFileSync(join(place, name))).length,
    0,
  );
}
