import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

// Files of strangers, each in a process of its own: one that hangs is killed, and fails its test alone.

const bin = fileURLToPath(new URL("../bin/pare.js", import.meta.url));
const corpus = fileURLToPath(new URL("../../fixtures/hostile/", import.meta.url));
const names = (await readdir(corpus)).filter((name) => name.endsWith(".onnx")).toSorted();
const patienceMs = 20_000;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-hostile-"));
});
afterAll(() => rm(folder, { recursive: true }));

function pare(args: readonly string[]): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--max-old-space-size=1024", bin, ...args], {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
      timeout: patienceMs,
      killSignal: "SIGKILL",
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stderr }));
  });
}

describe("a hostile model", () => {
  it.concurrent.each(names)(
    "is simplified or refused by name: %s",
    async (name) => {
      const { code, stderr } = await pare([
        "simplify",
        join(corpus, name),
        "-o",
        `${name}.out.onnx`,
      ]);
      expect({ code, stderr }).toEqual({
        code: expect.toSatisfy((ended: unknown) => ended === 0 || ended === 2),
        stderr: expect.not.stringMatching(/INTERNAL|PASS_FAILED|Maximum call stack/),
      });
    },
    2 * patienceMs,
  );
});
