// The arrows of the architecture: cli → bench → runtime, cli → compiler → runtime/format.
const shipped = (path) => ({ path, pathNot: "\\.test\\." });

module.exports = {
  forbidden: [
    {
      name: "runtime-imports-nothing",
      severity: "error",
      from: shipped("^runtime/src"),
      to: { path: "^(compiler|bench|cli)/" },
    },
    {
      name: "compiler-imports-the-format-only",
      severity: "error",
      from: shipped("^compiler/src"),
      to: { path: "^(bench|cli|runtime)/", pathNot: "^runtime/(src|dist)/format/" },
    },
    {
      name: "compiler-imports-no-engine-and-nothing-of-node",
      severity: "error",
      from: shipped("^compiler/src"),
      to: { path: "onnxruntime|^node:|playwright|^fs$|^path$" },
    },
    {
      name: "bench-imports-the-runtime-only",
      severity: "error",
      from: shipped("^bench/src"),
      to: { path: "^(compiler|cli)/" },
    },
    {
      name: "only-onnx-knows-protobuf",
      severity: "error",
      from: { path: "^compiler/src", pathNot: "^compiler/src/onnx/" },
      to: { path: "protobufjs" },
    },
    {
      name: "the-graph-knows-no-operators",
      severity: "error",
      from: shipped("^compiler/src/ir"),
      to: { path: "^compiler/src/(?!ir/)" },
    },
    {
      name: "quantize-walks-no-graph",
      severity: "error",
      from: shipped("^compiler/src/quantize"),
      to: { path: "^compiler/src/(passes|rules|targets|search)/" },
    },
    {
      name: "no-circles",
      severity: "error",
      from: { pathNot: "^compiler/src/ir/" }, // a graph opens its editor
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.base.json" },
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)dist/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@pare/source", "import", "node", "default"],
      extensions: [".ts", ".js"],
    },
  },
};
