import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { block, root } from "./guide.test.support.js";

/** Outside the repository, where a bundler finds no engine by walking up. */
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-without-an-engine-"));
  const runtime = join(folder, "node_modules/@pare/runtime");
  await mkdir(runtime, { recursive: true });
  for (const part of ["package.json", "src"])
    await cp(join(root, "runtime", part), join(runtime, part), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each(["browser", "node"] as const)(
  "a-model-in-30-kb: is bundled for %s where no engine is installed",
  async (platform) => {
    const main = join(folder, "main.js");
    await writeFile(main, await block("a-model-in-30-kb", "js"));
    const { outputFiles } = await build({
      entryPoints: [main],
      bundle: true,
      format: "esm",
      platform,
      conditions: ["@pare/source"],
      write: false,
      logLevel: "silent",
    });
    expect(outputFiles[0]?.text).not.toContain("onnxruntime");
  },
);
