import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeModel, parseGraph } from "@pare/compiler";
import type { Manifest } from "@pare/runtime/format";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openModelFile } from "../../platform/open-model.js";
import type { VerbContext } from "../../terminal/verb.js";
import { runInspect } from "../inspect/run.js";
import { optimize } from "../optimize/optimize.js";
import { runOnce } from "./run.js";

let folder = "";
let bundle = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-run-bundle-"));
  bundle = join(folder, "neg.pare");
  const text =
    "graph main opset 21 (x: float32[2]) -> (y) {\n  %1 = Neg(x) : float32[2]\n  return %1\n}\n";
  await writeFile(join(folder, "neg.onnx"), (await encodeModel(parseGraph(text))).proto);
  await writeFile(join(folder, "x.json"), "[1, -2.5]");
  await optimize(join(folder, "neg.onnx"), {
    target: ["cpu"],
    timeBudgetMs: 3000,
    cache: false,
    output: bundle,
  });
});
afterAll(() => rm(folder, { recursive: true }));

function telling(said: string[]): VerbContext {
  return {
    signal: new AbortController().signal,
    typed: "pare run",
    exit() {},
    output: () => ({
      verbose: false,
      result: (text) => void said.push(text),
      note: (line) => void said.push(line),
      detail() {},
      progress() {},
      settle() {},
    }),
  };
}

it("says which variants are passed over, and why", async () => {
  const input = [["x", join(folder, "x.json")]] as const;
  const said: string[] = [];
  await runOnce(bundle, { input }, telling(said));
  expect(said).toEqual([expect.stringMatching(/^y +float32 \[2\] +-1 2\.5$/)]);

  const path = join(bundle, "manifest.json");
  const manifest: Manifest = JSON.parse(await readFile(path, "utf8"));
  const [variant] = manifest.variants;
  const lost = {
    ...variant,
    id: "cpu-lost",
    files: variant?.files.map((file) => ({ ...file, path: `variants/${"0".repeat(64)}.onnx` })),
  };
  await writeFile(path, JSON.stringify({ ...manifest, variants: [lost, variant] }));
  said.length = 0;
  await runOnce(bundle, { input }, telling(said));
  expect(said).toEqual([
    expect.stringMatching(/^The variant cpu-lost is passed over: ./),
    expect.stringMatching(/^y +float32 \[2\] +-1 2\.5$/),
  ]);
});

it("refuses sizes for what is compiled, to look at it too", async () => {
  const refused = {
    code: "ARGUMENT",
    where: "--dim",
    message: expect.stringContaining("this is a bundle"),
  };
  const dim = [["N", "1"]] as const;
  await expect(runOnce(bundle, { dim }, telling([]))).rejects.toMatchObject(refused);
  await expect(runInspect(bundle, { dim }, telling([]))).rejects.toMatchObject(refused);
});

it("is told from a folder, where a file is needed", () => {
  expect(() => openModelFile(bundle)).toThrow(/neg\.pare is a bundle, but an ONNX file is needed/);
  expect(() => openModelFile(folder)).toThrow(/is a folder, but a file is needed/);
});
