import { importOrtWasm } from "#ort-wasm";
import type { Backend } from "../format/engine/backend.js";
import { engineName, probed } from "./ort.js";
import { engine, type WebBuild, type WebOptions } from "./web-build.js";
import { importBuild, webBackend } from "./web-engine.js";

const build: WebBuild = {
  provider: "wasm",
  import: importOrtWasm,
  file: "ort-wasm-simd-threaded",
  bytes: 14_200_000,
  wasm: () => new URL("onnxruntime-web/ort-wasm-simd-threaded.wasm", import.meta.url),
  mjs: () => new URL("onnxruntime-web/ort-wasm-simd-threaded.mjs", import.meta.url),
};

/**
 * The `wasm` target: onnxruntime-web on the CPU, in browsers, workers and Node.
 * @throws PareError ARGUMENT
 */
export function wasm(options: WebOptions = {}): Backend {
  return {
    ...webBackend(build, options),
    probe: () => probed(async () => ({ engine: engineName(engine, await importBuild(build)) })),
  };
}
