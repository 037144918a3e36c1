import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { encodeModel } from "@pare/compiler";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Ended } from "../../command-lines.test.support.js";
import { network } from "../../workbench/training/small-training.test.support.js";

// What is left of a training whose files cannot be written, and of one whose checkpoint takes long to write: what was
// built, in processes of its own.

const bin = fileURLToPath(new URL("../../../bin/pare.js", import.meta.url));

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-kept-"));
  await writeFile(join(folder, "student.onnx"), (await encodeModel(network())).proto);
  await writeFile(join(folder, "points.mjs"), points);
});
afterAll(() => rm(folder, { recursive: true }));

/** About four others. */
const points = `
export const samples = Array.from({ length: 60 }, (_, index) => {
  const label = index % 4;
  const x = Float32Array.from({ length: 6 }, (__, at) => Math.sin(7 * index + at) / 2 + (at === label ? 1 : 0));
  return { feeds: { x: { type: "float32", dims: [1, 6], data: x } }, label };
});
`;

interface Begun {
  readonly child: ChildProcess;
  /** @returns once it has said something, or is over */
  said(pattern: RegExp): Promise<void>;
  readonly ended: Promise<Ended>;
}

function distill(args: readonly string[]): Begun {
  const common = ["distill", "student.onnx", "--data", "points.mjs", "--rate", "0.01"];
  const child = spawn(process.execPath, [bin, ...common, ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = once(child, "close").then(([code]): Ended => ({ code, stdout, stderr }));
  return {
    child,
    ended,
    async said(pattern) {
      while (!pattern.test(stderr) && child.exitCode === null)
        await Promise.race([once(child.stderr, "data"), ended]);
    },
  };
}

it("goes on without its checkpoint, and leaves one where the model cannot be written", async () => {
  const long = ["--epochs", "200", "--batch", "13", "-o", "taken.onnx"];
  const { said, ended } = distill([...long, "--checkpoint", "lost.safetensors"]);
  await said(/Epoch 1 of/);
  await mkdir(join(folder, "taken.onnx"));
  // It may be written again in between.
  const take = (path: string): Promise<boolean> =>
    rm(path, { force: true })
      .then(() => mkdir(path))
      .then(
        () => true,
        () => false,
      );
  for (let taken = false; !taken;) taken = await take(join(folder, "lost.safetensors"));
  const { code, stderr } = await ended;
  expect(stderr).toContain("error: taken.onnx is a folder");
  expect(code).toBe(2);
  expect(stderr.split("The checkpoint cannot be written, and training goes on")).toHaveLength(2);
  const left = "taken.onnx.checkpoint.safetensors";
  expect(stderr).toContain(`What was learned is in ${left}: --checkpoint ${left} goes on.`);
  await rmdir(join(folder, "taken.onnx"));
  const again = await distill([...long, "--checkpoint", left]).ended;
  expect(again.code).toBe(0);
  expect(again.stderr).not.toContain("Epoch 199 of");
  expect(await readdir(folder)).toContain("taken.onnx");
});

it.runIf(process.platform !== "win32")(
  "ends after Ctrl-C once the checkpoint is written, however long that takes",
  async () => {
    const left = "slow.onnx.checkpoint.safetensors";
    // What is written to a pipe waits for who reads it.
    await once(spawn("mkfifo", [left], { cwd: folder }), "close");
    const { child, said, ended } = distill(["--epochs", "100000", "-o", "slow.onnx"]);
    await said(/Epoch 2 of/);
    child.kill("SIGINT");
    await delay(2_000);
    const reader = spawn("cat", [left], { cwd: folder });
    const read = once(reader, "close");
    let bytes = 0;
    reader.stdout.on("data", (part: Uint8Array) => (bytes += part.length));
    try {
      const { code, stderr } = await ended;
      expect(code).toBe(130);
      expect(stderr).toContain(`--checkpoint ${left} goes on.`);
      await read;
      expect(bytes).toBeGreaterThan(0);
    } finally {
      reader.kill();
    }
  },
);

it.each([
  ["-o", "file/below.onnx", "file/below.onnx"],
  // Nothing may be made there, not even by root.
  ...(process.platform === "linux" ? [["--checkpoint", "/sys/new.safetensors", "/sys"]] : []),
])(
  "asks before it learns whether it can write: %s %s",
  async (flag = "", place = "", where = "") => {
    await writeFile(join(folder, "file"), "");
    const { code, stderr } = await distill(["--epochs", "1", flag, place]).ended;
    expect(code).toBe(2);
    expect(stderr).toContain(`where: ${where}\n`);
    expect(stderr).not.toMatch(/Epoch 1|It will take/);
  },
);

/** The process that trains, of one that was begun. Linux alone tells. */
async function trainer(pid: number): Promise<number> {
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const children = await readFile(`/proc/${pid}/task/${task}/children`, "utf8");
    for (const child of children.split(" ").filter((one) => one !== "")) {
      const command = await readFile(`/proc/${child}/cmdline`, "utf8").catch(() => "");
      if (command.includes("training-child")) return Number(child);
    }
  }
  throw new RangeError("Nothing trains.");
}

it.runIf(process.platform === "linux")(
  "goes on with less where the system kills what trains, as it does where memory runs out",
  async () => {
    const { child, said, ended } = distill([
      "--epochs",
      "2000",
      "--batch",
      "16",
      "-o",
      "less.onnx",
    ]);
    const kill = async (): Promise<void> =>
      void process.kill(await trainer(child.pid ?? 0), "SIGKILL");
    await said(/Epoch 3 of/);
    await kill();
    await said(/ended by SIGKILL.*goes on keeping few values.*[^]*Epoch \d+ of/);
    await kill();
    await said(/goes on in batches of 8\./);
    const { code, stderr } = await ended;
    expect(code).toBe(0);
    const epochs = [...stderr.matchAll(/Epoch (\d+) of/g)].map(([, epoch]) => Number(epoch));
    expect(epochs.at(-1)).toBe(2000);
    expect(epochs.filter((epoch) => epoch === 1)).toHaveLength(1);
  },
);
