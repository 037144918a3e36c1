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

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function pare(args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--max-old-space-size=1024", bin, ...args], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: patienceMs,
      killSignal: "SIGKILL",
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

const isOwnRefusal = {
  code: expect.toSatisfy((ended: unknown) => ended === 0 || ended === 2),
  stderr: expect.not.stringMatching(/INTERNAL|PASS_FAILED|Maximum call stack/),
};

describe("a hostile model", () => {
  it.concurrent.each(names)(
    "is simplified or refused by name: %s",
    async (name) => {
      const output = `${name}.out.onnx`;
      const ended = await pare(["simplify", join(corpus, name), "-o", output, "--json"]);
      expect(ended).toMatchObject(isOwnRefusal);
      expect((await readdir(folder)).includes(output)).toBe(ended.code === 0);
      if (ended.code !== 0) return;
      // What is written loads on the engine; or it refuses the file itself, or was not shown what fills the memory.
      const { check } = JSON.parse(ended.stdout);
      expect(check.reason ?? "").toMatch(
        check.status === "not checked" ? /as it was given$|^one value in it takes/ : "",
      );
    },
    2 * patienceMs,
  );

  it.each(["opaque-constant", "more-outputs", "constant-with-inputs"])(
    "whose declared types do not follow from its operators is made float16 where they do: %s",
    async (name) => {
      const model = join(corpus, `${name}.onnx`);
      const ended = await pare(["quantize", "--mode", "fp16", model, "-o", "half.onnx"]);
      expect(ended).toMatchObject(isOwnRefusal);
    },
    2 * patienceMs,
  );

  it.each([
    ["missing-input", "MODEL_INVALID"],
    ["two-opsets", "MODEL_VERSION"],
    ["no-outputs", "MODEL_INVALID"],
    ["seed371", "MODEL_INVALID"],
    ["seed545", "MODEL_INVALID"],
    ["seed556", "MODEL_INVALID"],
    ["seed4302", "MODEL_INVALID"],
    ["untyped-input", "MODEL_INVALID"],
    ["sparse-without-values", "MODEL_INVALID"],
    ["output-of-two-types", "MODEL_SHAPE"],
  ])("that computes nothing that could be meant is refused: %s", async (name, code) => {
    const { stderr } = await pare(["simplify", join(corpus, `${name}.onnx`), "-o", "refused.onnx"]);
    expect(stderr).toContain(`code:  ${code}`);
  });
});
