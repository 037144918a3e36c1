/** The build for Node: the one for browsers starts here too, but with more than one thread it fetches a file: URL. */
export function importOrtWasm(): Promise<typeof import("onnxruntime-web")> {
  return import("onnxruntime-web");
}
