import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { makeBundle, writeFiles } from "../../test-models/write-bundle.js";
import { aot } from "../backends/aot.js";
import { cpu } from "../backends/ort-node.js";
import { bundleJson } from "../format/bundle/parse-runnable.js";
import { load } from "./load.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-simd-"));
  const { manifest, files } = await makeBundle();
  const [first] = manifest.variants;
  if (first === undefined) throw new Error("The bundle is empty.");
  // Its golden check has values, and what lies there is no module.
  const module = { ...first, id: "spare", target: "aot", format: "wasm" } as const;
  const anywhere = { ...first, requires: { features: [] } };
  const both = { ...manifest, formatVersion: 2, variants: [module, anywhere] };
  files.set("manifest.json", new TextEncoder().encode(bundleJson(both)));
  await writeFiles(folder, files);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

const why = "WebAssembly has no SIMD here";

it("goes on to the next backend where the engine has no SIMD, and says why", async () => {
  vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
  expect(await aot().probe()).toEqual({ ok: false, why });
  const model = await load(folder, { backends: [aot(), cpu()] });
  expect(model.selection).toMatchObject({ target: "cpu", proven: true });
  expect(model.selection.tried[0]).toMatchObject({
    variant: null,
    target: "aot",
    ok: false,
    reason: why,
    code: "UNSUPPORTED_DEVICE",
  });
  await model.dispose();
});

it("says what to do where there is no other backend", async () => {
  vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
  await expect(load(folder, { backends: [aot()] })).rejects.toMatchObject({
    code: "UNSUPPORTED_DEVICE",
    message: expect.stringContaining(`aot: ${why}`),
    hint: "Write the bundle for a target that runs here, and pass its backend.",
  });
});

it("goes on to the next backend where the module is refused", async () => {
  const model = await load(folder, { backends: [aot(), cpu()] });
  expect(model.selection.tried).toMatchObject([
    { variant: "spare", target: "aot", ok: false, code: "ENGINE" },
    { variant: "cpu", target: "cpu", ok: true },
  ]);
  await model.dispose();
});
