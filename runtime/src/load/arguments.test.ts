import { describe, expect, it } from "vitest";
import { makeBundle } from "../../test-models/write-bundle.js";
import { cpu } from "../backends/ort-node.js";
import { wasm } from "../backends/ort-web.js";
import type { Model } from "../session/model.js";
import { load } from "./load.js";

const { manifest, golden, files: bytes } = await makeBundle();
const files = Object.fromEntries(
  [...bytes].map(([path, content]) => [
    path,
    `data:application/octet-stream;base64,${Buffer.from(content).toString("base64")}`,
  ]),
);
const bundle = { manifest, golden, files };
const feeds = {
  x: { type: "float32", dims: [1, 3], data: Float32Array.of(1, 2, 3) },
  shift: Float32Array.of(1, 1, 1),
} as const;

/** As a caller in JavaScript calls. */
const loose = load as unknown as (source?: unknown, options?: unknown) => Promise<Model>;

describe("load takes what is meant", () => {
  it.each<[string, unknown, unknown]>([
    ["a module's namespace", { default: bundle }, { backends: [cpu()] }],
    ["one backend without a list", bundle, { backends: cpu() }],
    ["a backend that was not called", bundle, { backends: [cpu] }],
    ["one backend, neither", bundle, { backends: cpu }],
  ])("%s", async (_, source, options) => {
    const model = await loose(source, options);
    expect(model.selection.chosen).toBe("cpu");
    expect((await model.run(feeds))["y"]?.data).toEqual(Float32Array.of(3, 5, 7));
    await model.dispose();
  });
});

describe("load refuses, with a code and what to do,", () => {
  it.each<[string, unknown, unknown, RegExp]>([
    ["no options", bundle, undefined, /`backends` must be backends/],
    ["options without backends", bundle, {}, /`backends` must be backends/],
    ["a backend's name", bundle, { backends: ["cpu"] }, /`backends` must be backends/],
    ["nothing to load", undefined, { backends: [cpu()] }, /given no bundle/],
    ["null", null, { backends: [cpu()] }, /given no bundle/],
    ["what is no bundle", { default: {} }, { backends: [cpu()] }, /given no bundle/],
  ])("%s", async (_, source, options, message) => {
    await expect(loose(source, options)).rejects.toMatchObject({
      name: "PareError",
      code: "ARGUMENT",
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/./),
    });
  });

  it.each(["https://", "data:application/json,{}", new URL("data:,x")])(
    "the address of no folder: %s",
    async (source) => {
      await expect(loose(source, { backends: [cpu()] })).rejects.toMatchObject({
        name: "PareError",
        code: "BUNDLE_NOT_FOUND",
        where: String(source),
        hint: expect.stringMatching(/./),
      });
    },
  );

  it.each<[string, () => unknown]>([
    ["an option that a backend does not have", () => cpu({ thread: 2 } as never)],
    ["no thread", () => cpu({ threads: 0 })],
    ["as many threads as no machine has", () => wasm({ threads: 100_000 })],
  ])("%s", (_, make) => {
    expect(make).toThrow(expect.objectContaining({ code: "ARGUMENT", hint: expect.any(String) }));
  });
});

it.each<[string, readonly unknown[]]>([
  ["nothing", []],
  ["null", [null]],
  ["a bare array", [Float32Array.of(1)]],
])("a run with %s is refused, saying what the inputs are", async (_, args) => {
  const model = await load(bundle, { backends: [cpu()] });
  const run = model.run as (...args: readonly unknown[]) => Promise<unknown>;
  await expect(run(...args)).rejects.toMatchObject({
    code: "INPUT",
    hint: expect.stringContaining('"x": float32 [N, 3]'),
  });
  await model.dispose();
});
