export { wasm } from "./ort-wasm.js";
export { webgpu } from "./ort-webgpu.js";
export type { WebOptions } from "./web-build.js";
