// The arrows of the architecture. Packages: cli → bench → runtime, cli → compiler → runtime/format. Inside each package
// its rooms stand in order, and none imports one above itself.
const shipped = (path) => ({ path, pathNot: "\\.test\\." });

/** Top to bottom; a name is a folder, or a file without its ending. */
const rooms = {
  compiler: [
    "index",
    "bundle",
    "search",
    "targets",
    "recipes",
    "passes",
    "rules",
    "calibrate",
    "train",
    "prune",
    "pipeline",
    "import-model",
    "analysis",
    "quantize",
    "wasm",
    "ops",
    "tfjs",
    "onnx",
    "ir",
  ],
  runtime: [
    "plain",
    "index",
    "load",
    "select",
    "session",
    "backends",
    "network",
    "platform",
    "format",
  ],
  bench: [
    "index",
    "compare",
    "visit",
    "measure",
    "report",
    "engines",
    "metrics",
    "timing",
    "statistics",
  ],
  cli: [
    "index",
    "main",
    "verbs",
    "report",
    "workbench",
    "data",
    "config",
    "cache",
    "terminal",
    "platform",
  ],
};
/** Inside the runtime's format, the compiler's graph, what it knows of operators, its search and its WebAssembly, the same. */
const inner = {
  "runtime/src/format": [
    "index",
    "bundle",
    "measurement",
    "engine",
    "tensor",
    "json-schema",
    "sha256",
    "error",
  ],
  "compiler/src/wasm": [
    "index",
    "compile",
    "emit",
    "assertions",
    "lower",
    "plan",
    "kernels",
    "engine",
    "encode",
  ],
  "compiler/src/search": [
    "optimize",
    "replay",
    "decide-targets",
    "rounds",
    "best-so-far",
    "finals",
    "plan-search",
    "float-accuracy",
    "learning-in-time",
    "open-targets",
    "search",
    "progress",
    "trial",
    "record",
    "plan",
    "make",
    "request",
    "candidate",
    "lock",
    "verdict",
    "refusal",
  ],
  "compiler/src/ir": ["index", "text", "edit", "verify", "graph", "order", "model"],
  "compiler/src/ops": [
    "index",
    "table",
    "gradients",
    "reference",
    "demands",
    "shape",
    "channels",
    "traits",
    "families",
    "elements",
    "schema",
  ],
};

const place = (folder, room) => `^${folder}/${room}(\\.ts$|/)`;

function inOrder(folder, names) {
  return names.slice(1).map((room, index) => ({
    name: `${folder}: ${room} imports nothing above it`,
    severity: "error",
    from: shipped(place(folder, room)),
    to: { path: names.slice(0, index + 1).map((above) => place(folder, above)) },
  }));
}

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
      name: "quantize-is-functions-on-arrays",
      severity: "error",
      from: shipped("^compiler/src/quantize"),
      to: { path: "^compiler/src/(?!quantize/)" },
    },
    ...Object.entries(rooms).flatMap(([name, names]) => inOrder(`${name}/src`, names)),
    ...Object.entries(inner).flatMap(([folder, names]) => inOrder(folder, names)),
    {
      name: "every-room-has-its-place",
      severity: "error",
      from: {},
      to: {
        path: Object.keys(rooms).map((name) => `^${name}/src/`),
        pathNot: Object.entries(rooms).flatMap(([name, names]) =>
          names.map((room) => place(`${name}/src`, room)),
        ),
      },
    },
    // Circles that go over folders are found by .ci/arrows.mjs, which runs this.
    { name: "no-circle-of-files", severity: "error", from: {}, to: { circular: true } },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.base.json" },
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(runtime|compiler|bench|cli)/dist/|\\.test\\." },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@pare/source", "import", "node", "default"],
      extensions: [".ts", ".js"],
    },
  },
};
