// From nothing that is loaded to a first result, by one of two ways: in Node
//   node starts.mjs <module or an ONNX file's name> <folder>
// prints milliseconds; a page calls `firstResult` with what it has.

/**
 * @param {string} way `module`, or the name of the ONNX file that the engine takes
 * @param place of a folder with aot-loader.js, ONNX files and facts.json
 * @param {{ import(path: string): Promise<any>; bytes(url: URL): Promise<Uint8Array>; engine: string }} by
 */
export async function firstResult(way, place, by) {
  const facts = JSON.parse(new TextDecoder().decode(await by.bytes(new URL("facts.json", place))));
  const began = performance.now();
  if (way === "module") {
    const { compile, start } = await by.import(new URL("aot-loader.js", place).href);
    const model = start(await compile());
    const inputs = facts.map(({ name, count }) => [name, new Float32Array(count)]);
    model.runSync(Object.fromEntries(inputs));
    return performance.now() - began;
  }
  const ort = await by.import(by.engine);
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  if (by.engineFiles !== undefined) ort.env.wasm.wasmPaths = by.engineFiles;
  const model = await by.bytes(new URL(way, place));
  const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  const feeds = facts.map(({ name, count, dims }) => [
    name,
    new ort.Tensor("float32", new Float32Array(count), dims),
  ]);
  await session.run(Object.fromEntries(feeds));
  return performance.now() - began;
}

if (globalThis.process?.argv[1]?.endsWith("starts.mjs")) {
  const { readFile } = await import("node:fs/promises");
  const { pathToFileURL } = await import("node:url");
  const [, , way, folder] = process.argv;
  const by = {
    import: (path) => import(path),
    bytes: async (url) => new Uint8Array(await readFile(url)),
    engine: "onnxruntime-web/wasm",
  };
  console.log(await firstResult(way, pathToFileURL(`${folder}/`), by));
}
