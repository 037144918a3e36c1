import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { loaderTexts as written } from "../../scripts/loader-text.mjs";
import { Tensor } from "../ir/index.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { compiledBundle } from "./compiled-bundle.test.support.js";
import { loaderTexts } from "./loader-text.js";
import { askingBundle } from "./asking-bundle.test.support.js";
import { countingBundle } from "./counting-bundle.test.support.js";
import { tellingBundle } from "./telling-bundle.test.support.js";
import { length, recurrentBundle, writeBundle } from "./recurrent-bundle.test.support.js";

type Arrays = Readonly<Record<string, Float32Array | Float64Array | Int32Array | BigInt64Array>>;
type Run<Text> = (inputs: Readonly<Record<string, Arrays[string] | Text>>, into?: Arrays) => Arrays;
interface Loader<Text = never> {
  compile(): Promise<{ readonly module: WebAssembly.Module; readonly weights?: ArrayBuffer }>;
  start(compiled: object): {
    runSync: Run<Text>;
    stream(state?: Readonly<Record<string, string>>): { runSync: Run<Text>; reset(): void };
  };
}

const files = await recurrentBundle();
let folder: string;
let loader: Loader;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-loader-"));
  await writeBundle(folder, files);
  loader = (await import(pathToFileURL(join(folder, "aot-loader.js")).href)) as Loader;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const filled = (value: number): Float32Array => new Float32Array(length).fill(value);

it("is what its source says; node compiler/scripts/write-loader.mjs writes it", async () => {
  expect(loaderTexts).toEqual(await written());
});

it("is under 2 kB after gzip, with room for the names and places of a model's values", () => {
  expect(gzipSync(loaderTexts.one).length).toBeLessThan(1_700);
  expect(gzipSync(files.get("aot-loader.js") ?? "").length).toBeLessThan(2_000);
});

it("runs the model, on memory of its own for each that is started", async () => {
  const compiled = await loader.compile();
  const [one, two] = [loader.start(compiled), loader.start(compiled)];
  const first = one.runSync({ x: filled(1), s: filled(2) });
  expect(first).toEqual({ y: filled(3), sN: filled(3) });
  const y = filled(0);
  expect(two.runSync({ x: filled(3), s: filled(4) }, { y })).toEqual({ y: filled(7) });
  expect(y).toEqual(filled(7));
  expect(first["y"]).toEqual(filled(3));
});

it("carries the state of each stream", async () => {
  const model = loader.start(await loader.compile());
  const [one, two] = [model.stream(), model.stream()];
  expect(one.runSync({ x: filled(1) })).toEqual({ y: filled(1) });
  expect(two.runSync({ x: filled(5) })).toEqual({ y: filled(5) });
  expect(one.runSync({ x: filled(1) })).toEqual({ y: filled(2) });
  one.reset();
  expect(one.runSync({ x: filled(3) })).toEqual({ y: filled(3) });
  expect(two.runSync({ x: filled(1) })).toEqual({ y: filled(6) });
});

it("carries what it is told to, in place of what the bundle says", async () => {
  const model = loader.start(await loader.compile());
  const none = model.stream({});
  for (const s of [2, 3])
    expect(none.runSync({ x: filled(1), s: filled(s) })).toEqual({
      y: filled(1 + s),
      sN: filled(1 + s),
    });
  const other = model.stream({ y: "x" });
  expect(other.runSync({ s: filled(1) })).toEqual({ sN: filled(1) });
  expect(other.runSync({ s: filled(2) })).toEqual({ sN: filled(3) });
  for (const state of [{ y: "z" }, { z: "x" }, { y: "x", sN: "x" }])
    expect(() => model.stream(state)).toThrow(
      expect.objectContaining({ name: "PareError", code: "ARGUMENT" }),
    );
});

it("takes the size of the arrays that it is given", async () => {
  const several = join(folder, "several");
  const written = await recurrentBundle([4, 6]);
  await writeBundle(several, written);
  const own = (await import(pathToFileURL(join(several, "aot-loader.js")).href)) as Loader;
  const { runSync, stream } = own.start(await own.compile());
  for (const size of [4, length, 6]) {
    const x = new Float32Array(size).fill(2);
    expect(runSync({ x, s: x })).toEqual({ y: x.map(() => 4), sN: x.map(() => 4) });
    const into = { y: new Float32Array(size) };
    expect(runSync({ x, s: x }, into)).toBe(into);
    expect(into.y).toEqual(x.map(() => 4));
  }
  expect(() => runSync({ x: new Float32Array(5), s: new Float32Array(5) })).toThrow(
    expect.objectContaining({
      code: "INPUT",
      message: expect.stringMatching(/of 8, .* of 4, .* of 6\.$/),
    }),
  );
  expect(stream().runSync({ x: filled(3) })).toEqual({ y: filled(3) });
  const types = new TextDecoder().decode(written.get("aot-loader.d.ts"));
  expect(types).toContain("float32 [1, 8] or float32 [1, 4] or float32 [1, 6]");
  expect(gzipSync(written.get("aot-loader.js") ?? "").length).toBeLessThan(2_000);
});

it("gives as many rows as there are, and writes zeros behind them", async () => {
  const counting = join(folder, "counting");
  const written = await countingBundle();
  await writeBundle(counting, written);
  const own = (await import(pathToFileURL(join(counting, "aot-loader.js")).href)) as Loader;
  const { runSync } = own.start(await own.compile());
  const boxes = Float32Array.of(0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3);
  const into = { scores: new Float32Array(3).fill(7), rows: new BigInt64Array(9).fill(7n) };
  for (const [given, kept, rows] of [
    [
      [0.5, 0.75, 0.25],
      [0.75, 0.25],
      [0n, 0n, 1n, 0n, 0n, 2n],
    ],
    [[0, 0, 0], [], []],
    [[0, 1, 0], [1], [0n, 0n, 1n]],
  ] as const) {
    const inputs = { boxes, all: Float32Array.from(given) };
    expect(runSync(inputs)).toEqual({
      scores: Float32Array.from(kept),
      rows: BigInt64Array.from(rows),
    });
    expect(runSync(inputs, into)).toBe(into);
    expect([...into.scores]).toEqual([...kept, 0, 0, 0].slice(0, 3));
    expect([...into.rows]).toEqual([...rows, ...into.rows.slice(rows.length).fill(0n)]);
  }
  const types = new TextDecoder().decode(written.get("aot-loader.d.ts"));
  expect(types).toContain("int64 [?, 3], at most 3 rows; an array to write into is of 9, zeros behind the last row"); // prettier-ignore
  expect(gzipSync(written.get("aot-loader.js") ?? "").length).toBeLessThan(2_000);
});

it("gives text where integers stand for it, and writes it into nothing", async () => {
  const telling = join(folder, "telling");
  const written = await tellingBundle();
  await writeBundle(telling, written);
  const own = (await import(pathToFileURL(join(telling, "aot-loader.js")).href)) as Loader;
  const { runSync } = own.start(await own.compile());
  expect(runSync({ x: Float32Array.of(1, 3, 2) })).toEqual({ label: ['of "two"'] });
  expect(() => runSync({ x: new Float32Array(3) }, { label: new Float32Array(1) })).toThrow(
    expect.objectContaining({ code: "INPUT" }),
  );
  const types = new TextDecoder().decode(written.get("aot-loader.d.ts"));
  expect(types).toContain('/** string [1] */\n  readonly "label": readonly string[];');
  expect(types).toContain('type Text = "label";');
  const faults = faultsOf(
    telling,
    `import { compile, start } from "./aot-loader.js";
const { runSync } = start(await compile());
export const label: readonly string[] = runSync({ x: new Float32Array(3) }).label;
runSync({ x: new Float32Array(3) }, { label });
`,
  );
  expect(faults).toEqual([expect.stringContaining("is not assignable to type")]);
});

it("takes text by its place among the words that it was written with", async () => {
  const asking = join(folder, "asking");
  const written = await askingBundle();
  await writeBundle(asking, written);
  const own = (await import(pathToFileURL(join(asking, "aot-loader.js")).href)) as Loader<
    readonly string[]
  >;
  const { runSync } = own.start(await own.compile());
  const z = Float32Array.of(0, 2);
  expect(runSync({ x: ['a "yes"', "__proto__"], z })).toEqual({
    y: Float32Array.of(0, 1, 0, 2, 2, 3),
  });
  expect(runSync({ x: ["", "no"], z })).toEqual({ y: Float32Array.of(0, 0, 0, 3, 2, 2) });
  for (const x of [["no"], Int32Array.of(0, 0), ["no", "no", "no"]])
    expect(() => runSync({ x, z })).toThrow(expect.objectContaining({ code: "INPUT" }));
  expect(() => runSync({ x: ["no", "no"], z }, { y: new Float32Array(5) })).toThrow(
    'It takes "y", a Float32Array of 6.',
  );
  const types = new TextDecoder().decode(written.get("aot-loader.d.ts"));
  expect(types).toContain('/** string [2] */\n  readonly "x": readonly string[];');
  expect(gzipSync(written.get("aot-loader.js") ?? "").length).toBeLessThan(2_000);
});

it.each([
  ["nothing", {}, undefined],
  ["a missing input", { x: filled(1) }, undefined],
  ["another length", { x: filled(1), s: new Float32Array(3) }, undefined],
  ["another kind", { x: filled(1), s: new Float64Array(length) }, undefined],
  ["an unknown input", { x: filled(1), s: filled(1), z: filled(1) }, undefined],
  ["no array of its output", { x: filled(1), s: filled(1) }, { y: new Float32Array(3) }],
  ["an unknown output", { x: filled(1), s: filled(1) }, { z: filled(1) }],
])("refuses %s", async (_, inputs, into) => {
  const model = loader.start(await loader.compile());
  expect(() => model.runSync(inputs, into)).toThrow(
    expect.objectContaining({ name: "PareError", code: "INPUT" }),
  );
});

it("refuses a file whose bytes are others", async () => {
  const damaged = join(folder, "damaged");
  await writeBundle(damaged, files);
  for (const name of await readdir(join(damaged, "variants")))
    await writeFile(join(damaged, "variants", name), "other");
  const own = (await import(pathToFileURL(join(damaged, "aot-loader.js")).href)) as Loader;
  await expect(own.compile()).rejects.toMatchObject({ code: "NETWORK" });
});

describe("from a server, in pieces", () => {
  const origin = "https://models.example/";
  let own: Loader;
  beforeAll(async () => {
    const text = new TextDecoder().decode(files.get("aot-loader.js"));
    const path = join(folder, "from-a-server.js");
    await writeFile(path, text.replaceAll("import.meta.url", JSON.stringify(origin)));
    own = (await import(pathToFileURL(path).href)) as Loader;
  });
  /** What a page may get: a stream that writes into what it is given, or one that does not. */
  const answer =
    (change: (bytes: Uint8Array) => Uint8Array, type?: "bytes") =>
    async (url: URL): Promise<Response> => {
      const bytes = change(files.get(url.href.slice(origin.length)) ?? new Uint8Array());
      let at = 0;
      return new Response(
        new ReadableStream({
          ...(type && { type }),
          pull(controller: ReadableStreamController<Uint8Array>) {
            if (at < bytes.length) controller.enqueue(bytes.slice(at, (at += 100)));
            else {
              controller.close();
              if ("byobRequest" in controller) controller.byobRequest?.respond(0);
            }
          },
        }),
      );
    };
  const kinds = ["bytes", undefined] as const;

  it.each(kinds)("takes what the compiler wrote (%s)", async (type) => {
    vi.stubGlobal(
      "fetch",
      answer((bytes) => bytes, type),
    );
    const { runSync } = own.start(await own.compile());
    expect(runSync({ x: filled(1), s: filled(2) })).toEqual({ y: filled(3), sN: filled(3) });
  });

  it.each(
    kinds.flatMap((type) => [
      [type, "of which the last is missing", (bytes: Uint8Array) => bytes.slice(0, -1)] as const,
      [type, "of which one is another", (bytes: Uint8Array) => bytes.map((byte, at) => byte ^ Number(at === 150))] as const, // prettier-ignore
      [type, "of which there are none", () => new Uint8Array()] as const,
    ]),
  )("refuses bytes (%s) %s", async (type, _, change) => {
    vi.stubGlobal("fetch", answer(change, type));
    await expect(own.compile()).rejects.toMatchObject({ code: "NETWORK" });
  });
  afterAll(() => vi.unstubAllGlobals());
});

it("allocates nothing in a step", async () => {
  const script = `
    import { getHeapStatistics } from "node:v8";
    import { compile, start } from "./aot-loader.js";
    const { runSync } = start(await compile()).stream();
    const [inputs, into] = [{ x: new Float32Array(${length}) }, { y: new Float32Array(${length}) }];
    const steps = (count) => { for (let at = 0; at < count; at += 1) runSync(inputs, into); };
    const used = () => getHeapStatistics().used_heap_size;
    const grown = [];
    for (let time = 0; time < 5; time += 1) {
      const before = used();
      steps(10000);
      grown.push(used() - before);
    }
    console.log(grown.sort((a, b) => a - b)[2]);`;
  // Interpreted, since what a compiler optimizes away is an object all the same where it does not run hot.
  const args = ["--no-opt", "--no-sparkplug", "--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
  // What asks makes an object itself, and now and then V8 counts memory that is only set aside.
  expect(Number(stdout)).toBeLessThan(5_000);
});

it("imports the module where nothing is compiled", () => {
  const text = new TextDecoder().decode(files.get("aot-workerd.js"));
  const [, module = ""] =
    /import module from "\.\/(variants\/[0-9a-f]{64}\.wasm)"/.exec(text) ?? [];
  expect(files.has(module)).toBe(true);
  const { exports } = JSON.parse(new TextDecoder().decode(files.get("package.json")));
  expect(exports["./aot"]).toEqual({
    types: "./aot-loader.d.ts",
    workerd: "./aot-workerd.js",
    default: "./aot-loader.js",
  });
});

it("has types of its own, and gives the bundle's state to the runtime", () => {
  expect(faultsOf(folder, program)).toEqual([
    expect.stringMatching(/Property '\S*s\S*' is missing/),
    expect.stringMatching(/'s' does not exist/),
    expect.stringMatching(/'sN' does not exist/),
    expect.stringMatching(/Float64Array/),
    expect.stringMatching(/'x' does not exist/),
    expect.stringMatching(/'y' does not exist/),
    expect.stringMatching(/"z"/),
  ]);
});

/** Uses the loader and the types of the bundle rightly, and wrongly seven times. */
const program = `import { compile, start } from "./aot-loader.js";
import type { State } from "./index.js";
const next: State["sN"] = "s";
const model = start(await compile());
const [x, y] = [new Float32Array(8), new Float32Array(8)];
const data: Float32Array = model.runSync({ x, s: x }).sN;
const same: Float32Array = model.stream().runSync({ x }, { y }).y;
model.runSync({ x });
model.stream().runSync({ x, s: x });
model.stream().runSync({ x }).sN;
model.runSync({ x: new Float64Array(8), s: x });
const other = model.stream({ y: "x" });
const both: Float32Array = model.stream({}).runSync({ x, s: x }).sN;
const kept: Float32Array = other.runSync({ s: x }).sN;
other.runSync({ x, s: x });
other.runSync({ s: x }).y;
model.stream({ y: "z" });
export { both, kept };
export { data, next, same };
`;

/** Of a program beside a bundle's files. */
function faultsOf(place: string, code: string): string[] {
  const main = join(place, "main.ts");
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
  const { getSourceFile, fileExists } = host;
  host.getSourceFile = (name, version) =>
    name === main
      ? ts.createSourceFile(name, code, version)
      : getSourceFile.call(host, name, version);
  host.fileExists = (name) => name === main || fileExists.call(host, name);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([main], options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

it("takes weights from beside the module where they are many, and holds them to their hash", async () => {
  const width = 300_000;
  const graph = graphOf({ x: ["float32", 1, width] }, (input, b) => {
    const weights = b.floats([...new Float32Array(width).keys()], [1, width]);
    return { y: b.add("Mul", [input("x"), weights]) };
  });
  const value = (name: string) => ({ name, type: "float32", dims: [1, width] }) as const;
  const written = await compiledBundle("wide", graph, [value("x")], [value("y")], []);
  const own = join(folder, "wide");
  await writeBundle(own, written);
  const loading = (await import(pathToFileURL(join(own, "aot-loader.js")).href)) as Loader;
  const compiled = await loading.compile();
  expect(compiled.weights?.byteLength).toBe(4 * width);
  const { y } = loading.start(compiled).runSync({ x: new Float32Array(width).fill(2) });
  expect([y?.length, y?.[1], y?.at(-1)]).toEqual([width, 2, 2 * (width - 1)]);
  const weights = [...written.keys()].find((path) => path.endsWith(".bin")) ?? "";
  expect(new TextDecoder().decode(written.get("aot-workerd.js"))).toContain(`./${weights}`);
  await writeFile(join(own, weights), new Uint8Array(4 * width));
  await expect(loading.compile()).rejects.toMatchObject({ code: "NETWORK" });
});

it("makes floats of weights that are stored as integers before the first run", async () => {
  const codes = Int8Array.from({ length: 64 * 64 }, (_, at) => (at % 65 === 0 ? 2 : 0));
  const scales = Float32Array.from({ length: 64 }, (_, column) => column / 2);
  const graph = graphOf({ x: ["float32", 1, 64] }, (input, b) => {
    const stored = b.editor.constant("stored", Tensor.of("int8", [64, 64], codes));
    const weights = b.add("DequantizeLinear", [stored, b.floats([...scales])]);
    return { y: b.add("MatMul", [input("x"), weights]) };
  });
  const value = (name: string) => ({ name, type: "float32", dims: [1, 64] }) as const;
  const written = await compiledBundle("decoding", graph, [value("x")], [value("y")], []);
  const own = join(folder, "decoding");
  await writeBundle(own, written);
  const { compile, start } = (await import(
    pathToFileURL(join(own, "aot-loader.js")).href
  )) as Loader;
  const x = new Float32Array(64).fill(1);
  // 64 × 64 floats would be more.
  const sizes = [...written].flatMap(([name, { length }]) => (name.endsWith(".js") ? [] : length));
  expect(Math.max(...sizes)).toBeLessThan(64 * 64 * 2);
  expect(start(await compile()).runSync({ x })).toEqual({ y: scales.map((scale) => 2 * scale) });
});
