import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type Artifact,
  onnxArtifact,
  type BundleModule,
  bundleJson,
  type Golden,
  parseManifest,
  sha256Sync,
} from "@pare/runtime/format";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BundleInput, bundleFiles, externalLocation } from "./bundle-files.js";

const golden: Golden = {
  formatVersion: 1,
  cases: [
    {
      inputs: [
        {
          name: "x",
          type: "float32",
          dims: [1, 2],
          generator: "splitmix32",
          seed: 1,
          range: [0, 1],
        },
      ],
      outputs: [
        { name: "y", type: "float32", dims: [1], indices: [0], values: { a: [1.5], b: [1.25e-7] } },
      ],
    },
  ],
};

const common = {
  precision: "float32",
  evidence: "none",
  accuracy: null,
  latencyMs: { unmeasured: "no data" },
  tolerance: { absolute: 1e-5, relative: 0.001 },
} as const;

const input: BundleInput = {
  name: "Key words",
  createdBy: "pare 0.1.0",
  inputs: [
    { name: "x", type: "float32", dims: ["N", 2] },
    { name: "input.1", type: "int64", dims: [2] },
  ],
  outputs: [{ name: "y", type: "float32", dims: [1] }],
  variants: [
    { id: "a", target: "cpu", ...common, artifact: onnxArtifact(Uint8Array.of(1, 2, 3)) },
    { id: "b", target: "wasm", ...common, artifact: onnxArtifact(Uint8Array.of(1, 2, 3)) },
    { id: "c", target: "webgpu", ...common, artifact: onnxArtifact(Uint8Array.of(4)) },
  ],
  golden,
  source: { bytes: 10, sha256: "0".repeat(64), parameters: 4, macs: null },
  baselines: [],
  extra: { "report.md": "# Report" },
};

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

describe("bundleFiles", async () => {
  const files = await bundleFiles(input);
  const manifest = parseManifest(JSON.parse(text(files.get("manifest.json"))));

  it("stores equal variants once, by their hash, and puts the manifest last", () => {
    const hash = sha256Sync(Uint8Array.of(1, 2, 3));
    expect([...files.keys()]).toEqual([
      `variants/${hash}.onnx`,
      `variants/${sha256Sync(Uint8Array.of(4))}.onnx`,
      "report.md",
      "package.json",
      "index.js",
      "index.d.ts",
      "web.js",
      "web.d.ts",
      `golden-${manifest.golden.sha256}.json`,
      "golden.json",
      "manifest.json",
    ]);
    expect(manifest.variants[1]?.files).toEqual([
      { path: `variants/${hash}.onnx`, bytes: 3, sha256: hash },
    ]);
    expect(manifest.golden.path).toBe(`golden-${manifest.golden.sha256}.json`);
    for (const path of [manifest.golden.path, "golden.json"])
      expect(sha256Sync(files.get(path) ?? new Uint8Array())).toBe(manifest.golden.sha256);
  });

  it("has an identity that follows the variants and the golden check alone", async () => {
    const identity = async (change: Partial<BundleInput>): Promise<string> =>
      parseManifest(
        JSON.parse(text((await bundleFiles({ ...input, ...change })).get("manifest.json"))),
      ).identity;
    expect(await identity({ createdBy: "pare 9", extra: {} })).toBe(manifest.identity);
    expect(await identity({ golden: { formatVersion: 1, cases: [] } })).not.toBe(manifest.identity);
    expect(await identity({ variants: input.variants.slice(1) })).not.toBe(manifest.identity);
  });

  it("takes external data by its hash only", async () => {
    const bytes = Uint8Array.of(9, 9);
    const withExternal = (location: string): BundleInput => {
      const model = onnxArtifact(Uint8Array.of(1));
      const artifact: Artifact = { ...model, files: [model.files[0], { name: location, bytes }] };
      return { ...input, variants: [{ id: "a", target: "cpu", ...common, artifact }] };
    };
    const location = await externalLocation(bytes);
    expect((await bundleFiles(withExternal(location))).get(`variants/${location}`)).toBe(bytes);
    await expect(bundleFiles(withExternal("weights.bin"))).rejects.toMatchObject({
      code: "BUNDLE_INVALID",
    });
  });

  it("refuses to write what could not be read back", async () => {
    await expect(bundleFiles({ ...input, variants: [] })).rejects.toMatchObject({
      code: "BUNDLE_INVALID",
    });
  });

  it("makes a name that npm takes", () => {
    expect(JSON.parse(text(files.get("package.json")))).toMatchObject({
      name: "key-words",
      type: "module",
    });
  });

  describe("index.js", () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "pare-bundle-"));
      for (const [path, bytes] of files) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), bytes);
      }
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    it("is the manifest and the golden check, and where the files are", async () => {
      const url = pathToFileURL(join(folder, "index.js")).href;
      const { default: module } = (await import(/* @vite-ignore */ url)) as {
        default: BundleModule;
      };
      expect(bundleJson(parseManifest(module.manifest))).toBe(text(files.get("manifest.json")));
      expect(bundleJson(module.golden as Golden)).toBe(text(files.get("golden.json")));
      expect(Object.keys(module.files)).toEqual(
        [...files.keys()].filter((path) => path.startsWith("variants/")),
      );
      for (const [path, place] of Object.entries(module.files))
        expect(String(place)).toBe(pathToFileURL(join(folder, path)).href);
    });

    it("is all of them where a value is called as what every object has", async () => {
      const value = (name: string) => ({ name, type: "float32", dims: [1] }) as const;
      const outputs: unknown = JSON.parse('{ "__proto__": 0.5, "\\"__proto__": 0.25 }');
      const [first] = input.variants;
      if (first === undefined) throw new Error("there is no variant");
      const named = await bundleFiles({
        ...input,
        inputs: [value("proto")],
        outputs: [value("__proto__"), value('"__proto__')],
        state: { ["__proto__"]: "proto" },
        variants: [
          { ...first, tolerance: { ...first.tolerance, outputs } as typeof first.tolerance },
        ],
      });
      const path = join(folder, "named.js");
      await writeFile(path, named.get("index.js") ?? "");
      const { default: module } = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as {
        default: BundleModule;
      };
      expect(bundleJson(module.manifest)).toBe(text(named.get("manifest.json")));
    });

    it("shows all that is in it, whatever values are called", async () => {
      const name = "a\u202eb";
      const value = { name, type: "float32", dims: [1] } as const;
      const { inputs, outputs, state } = {
        inputs: [value],
        outputs: [value],
        state: { [name]: name },
      };
      const named = await bundleFiles({ ...input, inputs, outputs, state });
      for (const path of ["index.js", "web.js", "index.d.ts"])
        expect(text(named.get(path))).toMatch(/^[^\u202e]*a\\u202eb[^\u202e]*$/);
    });

    it("imports nothing, and names each file literally", () => {
      const source = text(files.get("index.js"));
      expect(source).not.toMatch(/\bimport[ (]|require\(/);
      expect(
        source.match(/new URL\("\.\/variants\/[0-9a-f]{64}\.onnx", import\.meta\.url\)/g),
      ).toHaveLength(2);
    });

    it("has a twin for pages, without the files that only Node runs", async () => {
      const own = onnxArtifact(Uint8Array.of(5));
      const [, ...others] = input.variants;
      const cpu = { id: "a", target: "cpu", ...common, artifact: own } as const;
      const both = await bundleFiles({ ...input, variants: [cpu, ...others] });
      const path = `variants/${sha256Sync(Uint8Array.of(5))}.onnx`;
      const named = (file: string): boolean => text(both.get(file)).includes(`new URL("./${path}"`);
      expect({ index: named("index.js"), web: named("web.js") }).toEqual({
        index: true,
        web: false,
      });
      expect(text(both.get("web.js")).match(/new URL\(/g)).toHaveLength(2);
      const embedded = (file: string): string => text(both.get(file)).split("  files: {")[0] ?? "";
      expect(embedded("web.js")).toBe(embedded("index.js"));
      expect(JSON.parse(text(both.get("package.json"))).exports["."].browser).toBe("./web.js");
    });

    it("has types that carry inputs and outputs to load", () => {
      const faults = typeFaults(folder);
      expect(faults).toEqual([
        expect.stringMatching(/"x"' is missing/),
        expect.stringMatching(/missing the following properties from type 'Tensor/),
        expect.stringMatching(/Property 'z' does not exist/),
      ]);
    });
  });
});

/** Compiles a program that uses the bundle rightly once and wrongly three times. */
function typeFaults(folder: string): string[] {
  const main = join(folder, "main.ts");
  const program = `import bundle from "./index.js";
interface BundleModule<I extends object, O extends object> { readonly manifest: unknown; readonly golden: unknown; readonly files: Readonly<Record<string, URL | string>>; readonly $types?: { readonly inputs: I; readonly outputs: O } }
declare function load<I extends object, O extends object>(source: string | BundleModule<I, O>): { run(inputs: I): Promise<O> };
const model = load(bundle);
const x = { type: "float32", dims: [1, 2], data: new Float32Array(2) } as const;
const data: Float32Array = (await model.run({ x, "input.1": new BigInt64Array(2) })).y.data;
await model.run({ "input.1": new BigInt64Array(2) });
await model.run({ x: new Float32Array(2), "input.1": new BigInt64Array(2) });
(await model.run({ x, "input.1": new BigInt64Array(2) })).z;
export { data };
`;
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    skipDefaultLibCheck: true, // TypeScript's own
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const getSourceFile = host.getSourceFile.bind(host);
  host.getSourceFile = (name, version) =>
    name === main ? ts.createSourceFile(name, program, version) : getSourceFile(name, version);
  const fileExists = host.fileExists.bind(host);
  host.fileExists = (name) => name === main || fileExists(name);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([main], options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}
