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
  it("stays under 10 kB gzip for the core: load, verify, select", async () => {
    const text = await bundled('export { load, PareError } from "./index.js"');
    expect(gzipSync(text).length).toBeLessThan(10_000);
    expect(text).not.toMatch(/onnxruntime|node:/);
  });

  it("brings one engine's glue for one backend", async () => {
    const text = await bundled('export { wasm } from "./backends/ort-web.js"');
    expect(gzipSync(text).length).toBeLessThan(4_000);
    expect(text).toContain("onnxruntime-web/wasm");
    expect(text).not.toMatch(/onnxruntime-web\/webgpu|node:/);
  });

  it("is nothing for an import that is not used", async () => {
    expect(
      await bundled(
        'import "./index.js"; import "./backends/ort-web.js"; import "./format/index.js"',
      ),
    ).toBe("");
  });
});
