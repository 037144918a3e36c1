// Builds dist/engines/browser-worker.bundle.js: what measures in a browser, and the runtime's backends, in one module, but
// for the engine. node bench/scripts/build-worker.mjs
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const file = (name) => fileURLToPath(new URL(`../dist/engines/${name}`, import.meta.url));

await build({
  entryPoints: [file("browser-worker.js")],
  outfile: file("browser-worker.bundle.js"),
  bundle: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  external: ["onnxruntime-web/*", "@pare/runtime/ort-node"],
  sourcemap: true,
  sourcesContent: false,
  legalComments: "none",
  logLevel: "warning",
});
