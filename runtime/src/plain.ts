// For a page without a bundler: built into one file, dist/pare.js, by scripts/build-plain.mjs.
export * from "./index.js";
export { aot } from "./backends/aot.js";
export { wasm } from "./backends/ort-wasm.js";
export { webgpu } from "./backends/ort-webgpu.js";
export type { WebOptions } from "./backends/web-build.js";
