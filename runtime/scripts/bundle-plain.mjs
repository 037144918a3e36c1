import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** The files of onnxruntime-web, which lie beside it. */
const beside = {
  '"onnxruntime-web/wasm"': '"./ort.wasm.bundle.min.mjs"',
  '"onnxruntime-web/webgpu"': '"./ort.webgpu.bundle.min.mjs"',
  '"onnxruntime-web/ort-': '"./ort-',
};

/** Writes the runtime and its backends for browsers as one module, which imports the engine from beside itself. */
export async function bundlePlain(file) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../src/plain.ts", import.meta.url))],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    conditions: ["@pare/source"],
    external: ["onnxruntime-web/*"],
    write: false,
    logLevel: "silent",
  });
  let text = outputFiles[0].text;
  for (const [specifier, path] of Object.entries(beside)) {
    if (!text.includes(specifier)) throw new Error(`${specifier} is not imported`);
    text = text.replaceAll(specifier, path);
  }
  await writeFile(file, text);
}
