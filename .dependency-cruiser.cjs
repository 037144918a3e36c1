// The arrows of the architecture: cli → bench → runtime, cli → compiler → runtime/format.
module.exports = {
  forbidden: [
    { name: "runtime-imports-nothing", severity: "error", from: { path: "^runtime/src", pathNot: "\\.test\\.ts$" }, to: { path: "^(compiler|bench|cli)/" } },
    { name: "compiler-imports-the-format-only", severity: "error", from: { path: "^compiler/src", pathNot: "\\.test\\.ts$" }, to: { path: "^(bench|cli|runtime)/", pathNot: "^runtime/(src|dist)/format/" } },
    { name: "bench-imports-the-runtime-only", severity: "error", from: { path: "^bench/src", pathNot: "\\.test\\.ts$" }, to: { path: "^(compiler|cli)/" } },
    { name: "only-onnx-knows-protobuf", severity: "error", from: { path: "^compiler/src", pathNot: "^compiler/src/onnx/" }, to: { path: "protobufjs" } },
    { name: "the-graph-knows-no-operators", severity: "error", from: { path: "^compiler/src/ir", pathNot: "\\.test\\.ts$" }, to: { path: "^compiler/src/(?!ir/)" } },
    { name: "quantize-walks-no-graph", severity: "error", from: { path: "^compiler/src/quantize", pathNot: "\\.test\\.ts$" }, to: { path: "^compiler/src/(passes|rules|targets|search)/" } },
    { name: "no-circles", severity: "error", from: { pathNot: "^compiler/src/ir/" }, to: { circular: true, dependencyTypesNot: ["type-only"] } },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.base.json" },
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)dist/" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["@pare/source", "import", "node", "default"], extensions: [".ts", ".js"] },
  },
};
