import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import {
  length,
  recurrentBundle,
} from "../../../compiler/src/bundle/recurrent-bundle.test.support.js";
import type { ValueInfo } from "../format/tensor/value-info.js";
import { load, type Progress } from "../load/load.js";
import { openAsyncStream } from "./async-stream.js";
import { Queue } from "./queue.js";
import { aot } from "./aot.js";
import { compileWhileItComes } from "./compile-streaming.js";
import { cpu } from "./ort-node.js";

const files = await recurrentBundle();
/** What was asked for, and the type that modules have. */
let asked: string[] = [];
let moduleType = "application/wasm";
let server: Server;
let base: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    const path = (request.url ?? "").slice(1);
    asked.push(path);
    const bytes = files.get(path);
    const type = path.endsWith(".wasm") ? moduleType : "application/octet-stream";
    response.writeHead(bytes === undefined ? 404 : 200, { "content-type": type }).end(bytes);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => void server.close());
afterEach(() => {
  [asked, moduleType] = [[], "application/wasm"];
  vi.restoreAllMocks();
  vi.resetModules();
});

const filled = (value: number): Float32Array => new Float32Array(length).fill(value);
const tensor = (value: number) => ({ type: "float32", dims: [1, length], data: filled(value) });

describe("a compiled model", () => {
  it("runs at once, into arrays of the caller's", async () => {
    const model = await load(base, { backends: aot() });
    expect(model.isSync).toBe(true);
    const feeds = { x: filled(1), s: filled(2) };
    expect(model.runSync(feeds)).toEqual({ y: tensor(3), sN: tensor(3) });
    const into = { y: filled(0) };
    expect(model.runSync(feeds, into)).toBe(into);
    expect(into.y).toEqual(filled(3));
    await model.dispose();
    expect(() => model.runSync(feeds)).toThrow(expect.objectContaining({ code: "DISPOSED" }));
  });

  it.each([
    ["a missing input", { x: filled(1) }, {}],
    ["an unknown input", { x: filled(1), s: filled(1), z: filled(1) }, {}],
    ["another type", { x: filled(1), s: new Float64Array(length) }, {}],
    ["another length", { x: filled(1), s: new Float32Array(1) }, {}],
    ["an array that is too short", { x: filled(1), s: filled(1) }, { y: new Float32Array(1) }],
    ["an array of another kind", { x: filled(1), s: filled(1) }, { y: new Int32Array(length) }],
    ["an unknown output", { x: filled(1), s: filled(1) }, { z: filled(1) }],
  ])("refuses %s", async (_, feeds, into) => {
    const model = await load(base, { backends: [aot] });
    expect(() => model.runSync(feeds, into)).toThrow(expect.objectContaining({ code: "INPUT" }));
  });

  it("takes tensors, too", async () => {
    const model = await load(base, { backends: aot() });
    const { y } = model.runSync({ x: { ...tensor(1), type: "float32" }, s: filled(1) });
    expect(y).toEqual(tensor(2));
  });

  it("carries its state at once, from what is given where it is given", async () => {
    const steps = (await load(base, { backends: aot() })).stream();
    expect(steps.runSync({ x: filled(1) })).toEqual({ y: tensor(1) });
    expect(steps.runSync({ x: filled(1) }, { y: filled(0) })).toEqual({ y: filled(2) });
    expect(steps.runSync({ x: filled(1), s: filled(10) })).toEqual({ y: tensor(11) });
    expect(steps.runSync({ x: filled(1) })).toEqual({ y: tensor(12) });
    expect(() => steps.runSync({})).toThrow(expect.objectContaining({ code: "INPUT" }));
    expect(() => steps.runSync({ x: filled(1), z: filled(1) })).toThrow(
      expect.objectContaining({ code: "INPUT" }),
    );
    const carried = { sN: filled(0) };
    expect(() => steps.runSync({ x: filled(1) }, carried)).toThrow(
      expect.objectContaining({
        code: "INPUT",
        message: expect.stringContaining('"sN" is carried'),
      }),
    );
    expect(steps.runSync({ x: filled(1) })).toEqual({ y: tensor(13) });
  });
});

describe.each([aot(), cpu()])("on $target a stream", (backend) => {
  it("carries the state from step to step, zeros at the start", async () => {
    const model = await load(base, { backends: backend });
    expect(model.state).toEqual({ sN: "s" });
    expect(() => model.stream({ y: "s", sN: "s" })).toThrow(
      expect.objectContaining({ code: "ARGUMENT", message: expect.stringContaining("both") }),
    );
    const [one, two] = [model.stream(), model.stream()];
    const answers = await Promise.all([
      one.run({ x: filled(1) }),
      one.run({ x: filled(1) }),
      two.run({ x: filled(7) }),
      one.run({ x: filled(1) }),
    ]);
    expect(answers).toEqual([1, 2, 7, 3].map((value) => ({ y: tensor(value) })));
    one.reset();
    expect(await one.run({ x: filled(4) })).toEqual({ y: tensor(4) });
    await expect(one.run({})).rejects.toMatchObject({ code: "INPUT" });
    // A caller in JavaScript may forget them.
    const none = JSON.parse("null");
    await expect(one.run(none)).rejects.toMatchObject({ code: "INPUT" });
    expect(await one.run({ x: filled(1) })).toEqual({ y: tensor(5) });
    await model.dispose();
  });

  it("begins anew behind the steps that are under way", async () => {
    const model = await load(base, { backends: backend });
    const { run, reset } = model.stream();
    const before = [run({ x: filled(1) }), run({ x: filled(1) })];
    reset();
    const answers = await Promise.all([...before, run({ x: filled(5) }), run({ x: filled(1) })]);
    expect(answers).toEqual([1, 2, 5, 6].map((value) => ({ y: tensor(value) })));
    await model.dispose();
  });

  it("takes what is given at once: an array may be filled anew for the step behind it", async () => {
    const model = await load(base, { backends: backend });
    const { run } = model.stream();
    const x = filled(1);
    const steps = [run({ x }), run({ x: x.fill(2) }), run({ x: x.fill(3) })];
    const sums = (await Promise.all(steps)).map(({ y }) => y?.data[0]);
    expect(sums).toEqual([1, 3, 6]);
    if (!model.isSync) {
      // @ts-expect-error: it is no feeds
      await expect(run(undefined)).rejects.toMatchObject({ code: "INPUT" });
      const given = { type: "float32", dims: [1, length], data: filled(1) } as const;
      const wrapped = Object.create(given) as typeof given;
      expect((await run({ x: wrapped })).y?.data[0]).toBe(7);
    }
    await model.dispose();
  });

  it("is where it was when a step is given up, and takes a state that is undefined for none", async () => {
    const model = await load(base, { backends: backend });
    const { run } = model.stream();
    await run({ x: filled(1) });
    const given = new AbortController();
    const late = run({ x: filled(10) }, { signal: given.signal });
    given.abort();
    if (!model.isSync) await expect(late).rejects.toMatchObject({ code: "ABORTED" });
    const after = model.isSync ? 12 : 2;
    expect(await run({ x: filled(1), s: undefined })).toEqual({ y: tensor(after) });
    await model.dispose();
  });

  it("answers no more once it is disposed of, nor do streams that were opened before", async () => {
    const model = await load(base, { backends: backend });
    const opened = model.stream();
    await model.dispose();
    const gone = { code: "DISPOSED" };
    await expect(opened.run({ x: filled(1) })).rejects.toMatchObject(gone);
    await expect(model.run({ x: filled(1) })).rejects.toMatchObject(gone);
  });

  it.each([{ y: "z" }, { z: "x" }])("has no state that is not there: %j", async (state) => {
    const model = await load(base, { backends: backend });
    expect(() => model.stream(state)).toThrow(expect.objectContaining({ code: "ARGUMENT" }));
    await model.dispose();
  });
});

it("has no state of another type or size, where the engine answers later", async () => {
  const model = await load(base, { backends: cpu() });
  const s = { name: "s", type: "float32", dims: [1, length] } as const;
  const inputs = model.inputs.filter(({ name }) => name !== "s");
  const opened = (input: ValueInfo) => {
    const sized = { inputs: [...inputs, input], outputs: model.outputs };
    return openAsyncStream(sized, model.state, new Queue(), (feeds) => model.run(feeds));
  };
  for (const input of [
    { ...s, type: "float64" },
    { ...s, dims: [length] },
    { ...s, dims: [1, 9] },
  ] as const)
    expect(() => opened(input)).toThrow(expect.objectContaining({ code: "ARGUMENT" }));
  for (const input of [s, { ...s, dims: ["N", null] }, { ...s, dims: [] }] as const)
    expect(() => opened(input)).not.toThrow();
  await model.dispose();
});

it("carries texts, too, none at the start", async () => {
  const text = { type: "string", dims: [1] } as const;
  const sized = { inputs: [{ ...text, name: "s" }], outputs: [{ ...text, name: "sN" }] };
  const { run, reset } = openAsyncStream(sized, { sN: "s" }, new Queue(), async ({ s }) => ({
    sN: { ...text, data: [`${s?.data[0]}a`] },
    y: { ...text, data: [`${s?.data[0]}`] },
  }));
  const said = async (): Promise<unknown> => (await run({})).y?.data;
  expect([await said(), await said(), await said()]).toEqual([[""], ["a"], ["aa"]]);
  reset();
  expect(await said()).toEqual([""]);
});

it("says of a model whose engine answers later that it does not run at once", async () => {
  const model = await load(base, { backends: cpu() });
  const code = expect.objectContaining({ code: "ENGINE_ASYNC" });
  expect(model.isSync).toBe(false);
  // @ts-expect-error: it may have no runSync
  expect(() => model.runSync({})).toThrow(code);
  await model.dispose();
});

describe("of the files of a compiled model", () => {
  const modules = [...files.keys()].filter((path) => path.endsWith(".wasm"));

  it("one module is downloaded, and compiled while it comes, whatever its type is", async () => {
    for (moduleType of ["application/wasm", "text/plain"]) {
      asked = [];
      const compile = vi.spyOn(WebAssembly, "compile");
      const seen: number[] = [];
      const onProgress = ({ receivedBytes, totalBytes }: Progress): void =>
        void seen.push(receivedBytes / totalBytes);
      const model = await load(base, { backends: aot(), onProgress });
      expect(model.runSync({ x: filled(1), s: filled(1) })).toMatchObject({ y: tensor(2) });
      expect(compile).not.toHaveBeenCalled();
      expect(seen.at(-1)).toBe(1);
      expect(asked.filter((path) => modules.includes(path))).toEqual([modules[0]]);
    }
  });

  it("one that is damaged is refused, though it was compiled", async () => {
    const [path = ""] = modules;
    const good = files.get(path);
    // A name in the section that says what it takes.
    const text = Buffer.from(good ?? [])
      .toString("latin1")
      .replace('"name":"y"', '"name":"z"');
    files.set(path, Buffer.from(text, "latin1"));
    try {
      await expect(load(base, { backends: aot() })).rejects.toMatchObject({ code: "INTEGRITY" });
    } finally {
      if (good !== undefined) files.set(path, good);
    }
  });

  it.each([
    ["right", true, 1],
    ["wrong", false, 0],
  ])(
    "where relaxed SIMD is there and %s, it takes the one for it or not",
    async (_, isRight, taken) => {
      vi.spyOn(WebAssembly, "validate").mockReturnValue(true);
      vi.spyOn(WebAssembly, "Module").mockImplementation(function Module() {});
      vi.spyOn(WebAssembly, "Instance").mockImplementation(function Instance() {
        if (!isRight) throw new WebAssembly.RuntimeError("unreachable");
        return { exports: {} };
      });
      const { aot: anew } = await import("./aot.js");
      const [plain, relaxed, weights] = ["a.wasm", "b.wasm", "c.bin"].map((path) => ({ path }));
      if (plain === undefined || relaxed === undefined || weights === undefined) return;
      expect(anew().needs?.([plain, relaxed, weights])).toEqual([[plain, relaxed][taken], weights]);
      expect(anew().needs?.([plain])).toEqual([plain]);
    },
  );
});

it("never compiles a mixture of two downloads", async () => {
  const whole = files.get([...files.keys()].find((path) => path.endsWith(".wasm")) ?? "");
  const bytes = whole ?? new Uint8Array();
  const parts = [bytes.subarray(0, 20), bytes.subarray(20)] as const;
  const resumed = compileWhileItComes();
  resumed?.write(parts[0], 20);
  resumed?.write(parts[1], bytes.length);
  expect(await resumed?.module(bytes.length)).toBeInstanceOf(WebAssembly.Module);
  const anew = compileWhileItComes();
  anew?.write(parts[0], 20);
  anew?.write(parts[0], 20);
  anew?.write(parts[1], bytes.length);
  expect(await anew?.module(bytes.length)).toBeUndefined();
});
