// `npm run test:elsewhere`: the tests that run integers, on an x64 processor that has AVX2 and no VNNI, by qemu.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const cwd = fileURLToPath(new URL("..", import.meta.url));
const files = [
  "compiler/src/ops/reference/neural",
  "compiler/src/passes/quantize",
  "compiler/src/targets",
];
const emulator = "qemu-x86_64";

if (process.arch !== "x64" || spawnSync(emulator, ["--version"]).status !== 0) {
  console.error(`This needs an x64 machine with ${emulator}. On Debian: apt-get install qemu-user`);
  process.exit(2);
}
// In threads: a child process would run on this machine's own processor.
const vitest = ["node_modules/vitest/vitest.mjs", "run", "--project", "quick"];
const patient = ["--testTimeout", "900000", "--hookTimeout", "900000"];
const pool = ["--pool", "threads", "--maxWorkers", "1", "--no-isolate"];
const reporters = ["--reporter", "default", "--reporter", "./.ci/count-reporter.mjs"];
const { status } = spawnSync(
  emulator,
  ["-cpu", "Haswell", process.execPath, ...vitest, ...patient, ...pool, ...reporters, ...files],
  { cwd, stdio: ["ignore", "inherit", "ignore"] },
);
process.exit(status ?? 1);
