import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Report } from "@pare/runtime/format";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CommandLines } from "../../command-lines.test.support.js";
import { anySize } from "../any-size.test.support.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-compiled-"));
});
const lines = new CommandLines(() => folder);
afterAll(async () => {
  await lines.dispose();
  await rm(folder, { recursive: true });
});

const model = (name: string): string =>
  fileURLToPath(new URL(`../../../../fixtures/models/${name}.onnx`, import.meta.url));

async function reportOf(...args: readonly string[]): Promise<Report> {
  const { code, stdout, stderr } = await lines.run(["bench", ...args, "--json"]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Report;
}

it("measures the module that a model is compiled to, which agrees with the CPU engine", async () => {
  const { variants } = await reportOf(model("latency/mnist"), "--target", "aot,cpu");
  const [compiled] = variants;
  expect(variants.map(({ target }) => target)).toEqual(["aot", "cpu"]);
  expect(compiled).toMatchObject({
    engine: expect.stringContaining("WebAssembly"),
    latencyMs: { p50: expect.any(Number) },
    startupMs: expect.any(Number),
  });
  expect(compiled?.parity?.maxError ?? Infinity).toBeLessThan(1e-4);
});

it("compares compiled models, and skips a target for which the baseline cannot be compiled", async () => {
  const same = await reportOf(model("latency/mnist"), model("latency/mnist"), "--target", "aot");
  expect(same.variants).toMatchObject([
    { target: "aot", latencyMs: { ratio: expect.any(Number) }, baseline: { target: "aot" } },
  ]);
  const open = await reportOf(await anySize(folder), "--target", "aot,cpu");
  expect(open.variants.map(({ target }) => target)).toEqual(["cpu"]);
  expect(open.skipped).toMatchObject([
    { target: "aot", reason: expect.stringContaining("its size is not fixed") },
  ]);
});
