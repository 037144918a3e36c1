// Apart from what every page needs: bundlers look an import up before they find that nothing uses it.

/** The smallest build of onnxruntime-web that runs models in WebAssembly. */
export function importOrtWasm(): Promise<typeof import("onnxruntime-web")> {
  return import("onnxruntime-web/wasm");
}
