import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

/** What a page downloads for one import of this package: bundled for browsers, minified, engines apart. */
async function bundled(code: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: code,
      resolveDir: fileURLToPath(new URL(".", import.meta.url)),
      loader: "ts",
    },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    conditions: ["@pare/source"],
    external: ["onnxruntime-web", "onnxruntime-web/*"],
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

describe("what a page downloads", () => {
  it.each<[string, string, number]>([
    ["load", 'export { load } from "./index.js"', 8_000],
    [
      "load and one backend",
      'export { load } from "./index.js"; export { wasm } from "./backends/ort-wasm.js"',
      12_400,
    ],
    ["the loader of modules that are models", 'export { aot } from "./backends/aot.js"', 4_400],
    ["one backend's glue", 'export { wasm } from "./backends/ort-wasm.js"', 6_750],
  ])("stays under its gzip budget for %s", async (_, code, bytes) => {
    expect(gzipSync(await bundled(code)).length).toBeLessThan(bytes);
  });

  it("brings no engine with load alone", async () => {
    const text = await bundled('export { load, PareError } from "./index.js"');
    expect(text).not.toMatch(/import\(|["']node:/);
  });

  it("brings one engine with one backend, by either entry", async () => {
    for (const entry of ["ort-web", "ort-wasm"]) {
      const text = await bundled(`export { wasm } from "./backends/${entry}.js"`);
      expect(text).toContain("onnxruntime-web/wasm");
      expect(text).not.toMatch(/onnxruntime-web\/webgpu|asyncify|["']node:/);
    }
  });

  it("is nothing for an import that is not used", async () => {
    expect(
      await bundled(
        'import "./index.js"; import "./backends/ort-web.js"; import "./format/index.js"',
      ),
    ).toBe("");
  });
});
