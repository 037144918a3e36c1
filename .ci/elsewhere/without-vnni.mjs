import { spawnSync } from "node:child_process";

const emulator = "qemu-x86_64";
/** Without what qemu would say at every start that it has not. */
const processor = "Haswell-noTSX,-x2apic,-tsc-deadline,-invpcid,-pcid";

export const withoutVnni = {
  is: "the tests that run integers, and that train in blocks of channels, on an x64 processor that has AVX2 and no VNNI (qemu's Haswell)",
  files: [
    "compiler/src/ops/reference/neural",
    "compiler/src/passes/quantize",
    "compiler/src/targets",
    "compiler/src/train/blocked-convolutions",
    "fixtures/engines",
  ],
  start() {
    if (process.arch !== "x64" || spawnSync(emulator, ["--version"]).status !== 0)
      return {
        missing: `it needs an x64 machine with ${emulator}. On Debian: apt-get install qemu-user`,
      };
    return {
      command: emulator,
      args: ["-cpu", processor, process.execPath],
      // In threads: a child process would run on this machine's own processor.
      options: ["--pool", "threads", "--maxWorkers", "1", "--no-isolate"],
    };
  },
};
