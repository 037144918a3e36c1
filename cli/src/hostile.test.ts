import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandLines, type Ended } from "./command-lines.test.support.js";

// Files of strangers: one that hangs is killed with its process, and fails its test alone.

const corpus = fileURLToPath(new URL("../../fixtures/hostile/", import.meta.url));
const names = (await readdir(corpus)).filter((name) => name.endsWith(".onnx")).toSorted();
const patienceMs = 20_000;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-hostile-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Each has a heap of 1 GB. */
const lines = new CommandLines(() => folder, {
  execArgv: ["--max-old-space-size=1024"],
  patienceMs,
});
afterAll(() => lines.dispose());

/** A file is simplified once, whatever is then asked of it. */
const simplified = new Map<string, Promise<Ended>>();
function simplify(name: string): Promise<Ended> {
  const known = simplified.get(name);
  if (known !== undefined) return known;
  const ended = lines.run(["simplify", join(corpus, name), "-o", `${name}.out.onnx`, "--json"]);
  simplified.set(name, ended);
  return ended;
}

const isOwnRefusal = {
  code: expect.toSatisfy((ended: unknown) => ended === 0 || ended === 2),
  stdout: expect.not.stringMatching(/INTERNAL|PASS_FAILED|Maximum call stack/),
  stderr: expect.not.stringMatching(/INTERNAL|PASS_FAILED|Maximum call stack/),
};

describe("a hostile model", () => {
  it.concurrent.each(names)(
    "is simplified or refused by name: %s",
    async (name) => {
      const ended = await simplify(name);
      expect(ended).toMatchObject(isOwnRefusal);
      expect((await readdir(folder)).includes(`${name}.out.onnx`)).toBe(ended.code === 0);
      if (ended.code !== 0) return;
      // What is written loads on the engine; or it refuses the file itself, or was not shown what fills the memory.
      const { check } = JSON.parse(ended.stdout);
      expect(check.reason ?? "").toMatch(
        check.status === "not checked" ? /as it was given$|^one value in it takes/ : "",
      );
    },
    5 * patienceMs, // of it, most may be waiting for others
  );

  it(
    "that never ends is refused, and no fault of Pare's, with data as without",
    async () => {
      const data = `export async function* samples() {
  for (let id = 0; id < 9; id++)
    yield { id: String(id), feeds: { x: { type: "float32", dims: [1, 4], data: new Float32Array(4) } } };
}`;
      await writeFile(join(folder, "data.mjs"), data);
      const common = ["optimize", join(corpus, "loop-forever.onnx"), "--target", "cpu"];
      const line = [...common, "--time-budget", "1s", "-o", "forever.pare"];
      for (const more of [[], ["--data", "data.mjs"]]) {
        const { code, stderr } = await lines.run([...line, ...more]);
        expect([code, stderr]).toEqual([2, expect.stringContaining("did not answer within 5 s")]);
      }
    },
    2 * patienceMs,
  );

  it.each(["opaque-constant", "more-outputs", "constant-with-inputs", "seed27785"])(
    "whose declared types do not follow from its operators is made float16 where they do: %s",
    async (name) => {
      const model = join(corpus, `${name}.onnx`);
      const ended = await lines.run(["quantize", "--mode", "fp16", model, "-o", "half.onnx"]);
      expect(ended).toMatchObject(isOwnRefusal);
    },
    2 * patienceMs,
  );

  it.each(["seed36246", "seed38380"])(
    "that says what cannot be of its windows and axes is told by every target: %s",
    async (name) => {
      expect(await lines.run(["inspect", join(corpus, `${name}.onnx`)])).toMatchObject(
        isOwnRefusal,
      );
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
    const { stdout } = await simplify(`${name}.onnx`);
    expect(JSON.parse(stdout).error.code).toBe(code);
  });
});
