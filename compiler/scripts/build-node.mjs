// Builds dist/compiler.js, all of the compiler in one module, from dist: what Node loads. node compiler/scripts/build-node.mjs
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const file = (path) => fileURLToPath(new URL(`../dist/${path}`, import.meta.url));

await build({
  entryPoints: [file("index.js")],
  outfile: file("compiler.js"),
  bundle: true,
  format: "esm",
  platform: "neutral",
  target: "node20",
  packages: "external",
  // The maps of dist lead to src, and so does this one.
  sourcemap: true,
  sourcesContent: false,
  legalComments: "none",
  logLevel: "warning",
});
