import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeModel, parseGraph } from "@pare/compiler";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseNpy } from "../../data/npy.js";
import type { VerbContext } from "../../terminal/verb.js";
import { runOnce, type RunOptions } from "./run.js";

const halves = `graph main opset 21 (x: float32[2]) -> ("a:0", a_0) {
  %1 = Cast(x) {to = 10} : float16[2]
  %2 = Neg(x) : float32[2]
  %3 = Cast(%2) {to = 10} : float16[2]
  return %1, %3
}
`;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-run-"));
  const { proto } = await encodeModel(parseGraph(halves));
  await writeFile(join(folder, "halves.onnx"), proto);
  await writeFile(join(folder, "x.json"), "[1, -2.5]");
});
afterAll(() => rm(folder, { recursive: true }));

async function told(options: RunOptions): Promise<{ text: string; document: unknown }> {
  const said = { text: "", document: null as unknown };
  const context: VerbContext = {
    signal: new AbortController().signal,
    typed: "pare run",
    exit() {},
    output: () => ({
      verbose: false,
      result: (text, document) => void Object.assign(said, { text, document }),
      note() {},
      detail() {},
      progress() {},
      settle() {},
    }),
  };
  const input = [["x", join(folder, "x.json")]] as const;
  await runOnce(
    join(folder, "halves.onnx"),
    { input, target: "cpu", json: true, ...options },
    context,
  );
  return said;
}

it("prints float16 in numbers, for readers and for scripts", async () => {
  const { text, document } = await told({});
  expect(text).toMatch(/^a:0 +float16 \[2\] +1 -2\.5\na_0 +float16 \[2\] +-1 2\.5$/);
  expect(document).toMatchObject({
    outputs: { "a:0": { data: [1, -2.5] }, a_0: { data: [-1, 2.5] } },
  });
});

it("writes each output to a file of its own", async () => {
  const { document } = await told({ output: join(folder, "outputs") });
  const files = { "a:0": "a_0-2.npy", a_0: "a_0.npy" };
  for (const [name, file] of Object.entries(files)) {
    const path = join(folder, "outputs", file);
    expect(document).toMatchObject({ outputs: { [name]: { file: path } } });
    const { type, data } = parseNpy(await readFile(path), path);
    expect(type).toBe("float16");
    expect(data[0]).toBe(name === "a:0" ? 0x3c00 : 0xbc00);
  }
});

it.each(["none.png", "none.wav", "none.npy"])("says that there is no file %s", async (name) => {
  const input = [["x", join(folder, name)]] as const;
  await expect(told({ input })).rejects.toMatchObject({ code: "DATA_NOT_FOUND" });
});
