import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { type JsonSchema, findFault } from "../json-schema.js";
import { bundleFormatVersion, type Manifest } from "./manifest.js";
import { manifestSchema } from "./manifest-schema.js";
import { parseManifest } from "./parse-manifest.js";
import { bundleJson, parseGolden, parseRunnable } from "./parse-runnable.js";

const hash = "ab".repeat(32);

const manifest: Manifest = {
  formatVersion: 2,
  name: "kws",
  identity: hash,
  createdBy: "pare 0.1.0",
  inputs: [{ name: "audio", type: "float32", dims: ["N", null, 40] }],
  outputs: [{ name: "logits", type: "float32", dims: ["N", 12] }],
  variants: [
    {
      id: "cpu-int8",
      target: "cpu",
      precision: "int8",
      evidence: "labelled",
      format: "onnx",
      files: [{ path: `variants/${hash}.onnx`, bytes: 10, sha256: hash }],
      requires: { features: ["simd"], memoryBytes: 100 },
      session: { foldDequantize: true, graphOptimizationLevel: "extended" },
      accuracy: {
        metric: "top1",
        direction: "higher",
        value: 0.9,
        interval: [0.88, 0.92],
        n: 500,
        drop: 0.001,
        dropInterval: [0, 0.002],
        flips: { count: 1, n: 500, interval: [0, 0.01], samples: ["a"] },
        measuredOn: "cpu",
      },
      latencyMs: {
        p50: 1,
        p90: 1.1,
        p99: null,
        n: 100,
        method: "1 thread",
        ratio: 0.5,
        ratioInterval: [0.4, 0.6],
        measuredOn: "x64",
      },
      tolerance: { absolute: 0.001, relative: 0.01 },
    },
    {
      id: "webgpu",
      target: "webgpu",
      precision: "float32",
      evidence: "none",
      format: "onnx",
      files: [{ path: `variants/${hash}.onnx`, bytes: 10, sha256: hash }],
      requires: { features: [] },
      session: {},
      accuracy: null,
      latencyMs: { unmeasured: "a software GPU" },
      tolerance: { absolute: 0, relative: 0 },
    },
  ],
  golden: { path: "golden.json", bytes: 3, sha256: hash },
  source: { bytes: 40, sha256: hash, parameters: 10, macs: null },
  baselines: [{ target: "cpu", accuracy: null, latencyMs: { unmeasured: "no data" } }],
};

describe("parseManifest", () => {
  it("takes a full manifest, and one with fields of a later version", () => {
    expect(parseManifest(JSON.parse(bundleJson(manifest)))).toEqual(manifest);
    expect(parseManifest({ ...manifest, colour: "red" })).toHaveProperty("colour");
  });

  it("takes version 1, whose artifacts were ONNX files and did not say so", () => {
    const variants = manifest.variants.map((variant) => ({ ...variant, format: undefined }));
    const first = JSON.parse(JSON.stringify({ ...manifest, formatVersion: 1, variants }));
    expect(parseManifest(first).variants.map(({ format }) => format)).toEqual(["onnx", "onnx"]);
    expect(() => parseManifest({ ...first, formatVersion: 2 })).toThrow(/format is missing/);
  });

  it.each<[string, unknown, RegExp]>([
    ["a path for the engine to write", { optimizedModelFilePath: "x" }, /optimizedModelFilePath/],
    ["a profile", { enableProfiling: true }, /enableProfiling/],
    ["threads without end", { intraOpNumThreads: 100_000 }, /intraOpNumThreads/],
    ["the engine's own entries", { extra: { session: { x: "1" } } }, /extra/],
    ["a level that there is not", { graphOptimizationLevel: "sideways" }, /graphOptimizationLevel/],
  ])("refuses session options with %s", (_, session, message) => {
    const variants = manifest.variants.map((variant) => ({ ...variant, session }));
    for (const formatVersion of [1, 2])
      expect(() => parseManifest({ ...manifest, formatVersion, variants })).toThrow(
        expect.objectContaining({
          code: "BUNDLE_INVALID",
          message: expect.stringMatching(message),
        }),
      );
  });

  it.each<[string, (json: never) => void, RegExp]>([
    ["no name", (json: { name?: string }) => delete json.name, /name is missing/],
    ["a wrong type", (json: { name: unknown }) => (json.name = 5), /name must be a string/],
    [
      "no variants",
      (json: { variants: unknown[] }) => (json.variants = []),
      /variants must have at least 1 items/,
    ],
    [
      "an unknown target",
      (json: Mutable) => (json.variants[1].target = "toaster"),
      /variants\[1\]\.target must be one of aot/,
    ],
    [
      "a path outside",
      (json: Mutable) => (json.variants[0].files[0].path = "../../etc/passwd"),
      /variants\[0\]\.files\[0\]\.path must match/,
    ],
    [
      "a path with a scheme",
      (json: Mutable) => (json.variants[0].files[0].path = "https://a.example/x"),
      /path must match/,
    ],
    [
      "a short hash",
      (json: Mutable) => (json.variants[0].files[0].sha256 = "ab"),
      /sha256 must match/,
    ],
    [
      "negative bytes",
      (json: Mutable) => (json.variants[0].files[0].bytes = -1),
      /bytes must be at least 0/,
    ],
    [
      "a fraction of a byte",
      (json: Mutable) => (json.variants[0].files[0].bytes = 1.5),
      /bytes must be an integer/,
    ],
    [
      "a half accuracy",
      (json: Mutable) => (json.variants[0].accuracy = { metric: "top1" }),
      /accuracy\.direction is missing/,
    ],
    [
      "a wrong dim",
      (json: Mutable) => (json.inputs[0].dims = [1.5]),
      /inputs\[0\]\.dims\[0\] must be an integer or a string or null/,
    ],
  ])("refuses %s, and says where", (_, damage, message) => {
    const json = structuredClone(manifest);
    damage(json as never);
    expect(() => parseManifest(json)).toThrow(
      expect.objectContaining({ code: "BUNDLE_INVALID", message: expect.stringMatching(message) }),
    );
  });

  it.each([null, [], "text", 5, {}])("refuses %j", (json) => {
    expect(() => parseManifest(json)).toThrow(expect.objectContaining({ code: "BUNDLE_INVALID" }));
    expect(() => parseGolden(json)).toThrow(expect.objectContaining({ code: "BUNDLE_INVALID" }));
  });

  it("and what load reads by itself agree on what is damaged, wherever that is", () => {
    expect(parseRunnable(manifest)).toEqual(manifest);
    const notRead = /identity|createdBy|source|baselines|precision|evidence|accuracy|latencyMs/;
    let compared = 0;
    for (const path of pathsOf(manifest)) {
      if (notRead.test(path.join())) continue;
      for (const value of [undefined, null, "x", "", -1, 1.5, true, {}, [], ["x"], { x: 1 }]) {
        const damaged = JSON.parse(JSON.stringify(replaced(manifest, path, value))) as unknown;
        const verdicts = [parseManifest, parseRunnable].map((parse) => refuses(parse, damaged));
        expect({ path, value, refused: verdicts[1] }).toEqual({
          path,
          value,
          refused: verdicts[0],
        });
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(300);
  });

  it("tells a newer version from damage", () => {
    expect(() => parseManifest({ formatVersion: bundleFormatVersion + 1 })).toThrow(
      expect.objectContaining({ code: "BUNDLE_VERSION" }),
    );
  });
});

function refuses(parse: (json: unknown) => unknown, json: unknown): boolean {
  try {
    parse(json);
    return false;
  } catch {
    return true;
  }
}

type Path = readonly (string | number)[];

function pathsOf(value: unknown, before: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [before];
  const inside = Object.entries(value).flatMap(([key, part]) => pathsOf(part, [...before, key]));
  return before.length === 0 ? inside : [before, ...inside];
}

function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by;
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[key] = replaced(copy[key], rest, by);
  return copy;
}

type Mutable = Record<"variants" | "inputs", [Loose, Loose]>;
type Loose = Record<string, unknown> & { files: [Record<string, unknown>] };

describe("the published schema", async () => {
  const text = await readFile(
    new URL("../../../schema/manifest.schema.json", import.meta.url),
    "utf8",
  );
  const published = JSON.parse(text) as JsonSchema;

  it("is the one that the runtime validates with; node runtime/scripts/write-schema.mjs writes it", () => {
    expect(published).toEqual(JSON.parse(JSON.stringify(manifestSchema)));
  });

  it("holds for the example", () => {
    expect(findFault(manifest, published)).toBeNull();
    expect(findFault({ ...manifest, inputs: 5 }, published)).toEqual({
      path: "inputs",
      problem: "must be an array",
    });
  });
});
