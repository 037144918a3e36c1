import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import {
  type Artifact,
  type Backend,
  onnxArtifact,
  type PareError,
  type Session,
  type SessionOptions,
} from "../format/index.js";
import { cpu } from "./ort-node.js";
import { wasm, webgpu } from "./ort-web.js";

const fileBytes = async (name: string): Promise<Uint8Array> =>
  new Uint8Array(await readFile(new URL(`../../test-models/${name}`, import.meta.url)));
const external = await fileBytes("external.onnx");
/** The field of its graph has a tag that says so only to who reads 32 bits of it, as protobuf's C++ does. */
const disguised = Uint8Array.from([
  ...external.subarray(0, 2),
  0xba,
  0x80,
  0x80,
  0x80,
  0x10,
  ...external.subarray(3),
]);
const bytes = await fileBytes("affine.onnx");
const model = onnxArtifact(bytes);

describe.each([cpu(), wasm()])("$target in Node", (backend: Backend) => {
  const open: Session[] = [];
  const load = async (source: Artifact = model): Promise<Session> => {
    const session = await backend.load(source);
    open.push(session);
    return session;
  };
  afterAll(() => Promise.all(open.map((session) => session.dispose())));

  it("names its engine with the version", async () => {
    expect(await backend.probe()).toEqual({
      ok: true,
      engine: expect.stringMatching(/^onnxruntime-(web|node) \d+\.\d+/),
    });
  });

  it("reports inputs and outputs, with free dims by name", async () => {
    const session = await load();
    expect(session.inputs).toEqual([
      { name: "x", type: "float32", dims: ["N", 3] },
      { name: "shift", type: "float32", dims: [3] },
    ]);
    expect(session.outputs).toEqual([{ name: "y", type: "float32", dims: ["N", 3] }]);
  });

  it("runs, with bare arrays where dims are fixed", async () => {
    const session = await load();
    const x = { type: "float32", dims: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) } as const;
    const { y } = await session.run({ x, shift: Float32Array.of(10, 20, 30) });
    expect(y).toEqual({
      type: "float32",
      dims: [2, 3],
      data: Float32Array.of(12, 24, 36, 18, 30, 42),
    });
  });

  it("refuses what is not for it, saying so", async () => {
    await expect(backend.load({ ...model, format: "wasm" })).rejects.toMatchObject({
      code: "ENGINE",
      message: expect.stringContaining("loads no wasm files"),
    });
  });

  it("gives outputs that a later run leaves alone", async () => {
    const session = await load();
    const shift = Float32Array.of(0, 0, 0);
    const first = await session.run({
      x: { type: "float32", dims: [1, 3], data: Float32Array.of(1, 2, 3) },
      shift,
    });
    await session.run({
      x: { type: "float32", dims: [1, 3], data: Float32Array.of(7, 8, 9) },
      shift,
    });
    expect(first["y"]?.data).toEqual(Float32Array.of(2, 4, 6));
  });

  it("takes inputs when it is asked, so that their buffers can be used again", async () => {
    const session = await load();
    const x = { type: "float32", dims: [1, 3], data: Float32Array.of(1, 2, 3) } as const;
    const shift = Float32Array.of(1, 1, 1);
    // The first run leaves its own copies to those after it.
    await session.run({ x, shift });
    const runs: Promise<unknown>[] = [];
    for (const scale of [1, 10, 100]) {
      x.data.set([scale, 2 * scale, 3 * scale]);
      shift.fill(scale);
      runs.push(session.run({ x, shift }));
    }
    x.data.fill(NaN);
    shift.fill(NaN);
    expect(await Promise.all(runs)).toMatchObject(
      [1, 10, 100].map((scale) => ({
        y: { data: Float32Array.of(3 * scale, 5 * scale, 7 * scale) },
      })),
    );
  });

  it.each([
    ["missing", {}, /"x" \(float32 \[N, 3\]\) is missing/],
    [
      "unknown",
      { x: tensor([1, 3]), shift: new Float32Array(3), z: new Float32Array(1) },
      /no input "z"/,
    ],
    [
      "of another type",
      { x: { type: "int32", dims: [1, 3], data: new Int32Array(3) }, shift: new Float32Array(3) },
      /is float32 \[N, 3\], but got int32/,
    ],
    [
      "of another shape",
      { x: tensor([1, 4]), shift: new Float32Array(3) },
      /but got dims \[1, 4\]/,
    ],
    ["of another rank", { x: tensor([3]), shift: new Float32Array(3) }, /but got dims \[3\]/],
    [
      "too short",
      { x: tensor([1, 3]), shift: new Float32Array(2) },
      /has 2 values, but dims \[3\] need 3/,
    ],
    [
      "in a wrong array",
      { x: tensor([1, 3]), shift: new Float64Array(3) },
      /held in a Float32Array, but got Float64Array/,
    ],
    [
      "bare with a free dim",
      { x: new Float32Array(3), shift: new Float32Array(3) },
      /does not say its free dims/,
    ],
  ])("refuses an input that is %s", async (_, feeds, message) => {
    const session = await load();
    await expect(session.run(feeds as never)).rejects.toMatchObject({
      code: "INPUT",
      message: expect.stringMatching(message),
    });
  });

  it("passes on the engine's words when it refuses a model", async () => {
    const damaged = onnxArtifact(bytes.slice(0, 60));
    await expect(backend.load(damaged)).rejects.toMatchObject({
      code: "ENGINE",
      message: expect.stringMatching(/refused the model: .{10}/),
    });
  });

  it("drops a queued run that is aborted, and goes on", async () => {
    const session = await load();
    const feeds = { x: tensor([1, 3]), shift: new Float32Array(3) };
    const abort = new AbortController();
    const first = session.run(feeds);
    const second = session.run(feeds, abort.signal);
    abort.abort();
    await expect(second).rejects.toMatchObject({ code: "ABORTED" });
    await expect(first).resolves.toBeDefined();
    await expect(session.run(feeds)).resolves.toBeDefined();
  });

  it("passes on the session options that there are, and nothing else", async () => {
    const session = await backend.load(
      onnxArtifact(bytes, {
        graphOptimizationLevel: "disabled",
        foldDequantize: true,
        spinning: false,
        memoryPattern: false,
      }),
    );
    open.push(session);
    const hostile = { optimizedModelFilePath: "written.onnx", enableProfiling: true };
    open.push(await backend.load({ ...model, session: hostile as SessionOptions }));
    await expect(readFile("written.onnx")).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("refuses runs after dispose", async () => {
    const session = await backend.load(model);
    await session.dispose();
    await session.dispose();
    await expect(session.run({})).rejects.toMatchObject({ code: "DISPOSED" });
  });

  it.each([
    ["as it is", external],
    ["disguised", disguised],
  ])("reads external data that comes with the model, %s", async (_, model) => {
    const split = onnxArtifact(model);
    const data = { name: "external.bin", bytes: await fileBytes("external.bin") };
    const session = await load({ ...split, files: [split.files[0], data] });
    const { y } = await session.run({ x: Float32Array.of(1, 1, 1) });
    expect(y?.data).toEqual(Float32Array.of(1, 2, 3));
  });

  it.each([
    ["as it is", external],
    ["disguised", disguised],
  ])("reads no file that does not come with the model, %s", async (_, model) => {
    const before = process.cwd();
    process.chdir(fileURLToPath(new URL("../../test-models/", import.meta.url)));
    try {
      // With its optimizer off the engine reads weights from the current folder.
      const artifact = onnxArtifact(model, { graphOptimizationLevel: "disabled" });
      await expect(load(artifact)).rejects.toMatchObject({
        code: backend.target === "cpu" ? "EXTERNAL_DATA" : "ENGINE",
      });
    } finally {
      process.chdir(before);
    }
  });

  it("says that memory ran out, and goes on", async () => {
    const session = await load(onnxArtifact(await fileBytes("as-large-as-asked.onnx")));
    // Just more than WebAssembly's 4 GiB can give: refused before anything is touched.
    const n = backend.target === "cpu" ? 10n ** 14n : 1_073_700_000n;
    const outcome = await session.run({ n: BigInt64Array.of(n) }).then(
      () => "it ran",
      (error: PareError) => error.code,
    );
    expect(outcome).toBe("NO_MEMORY");
    expect((await session.run({ n: BigInt64Array.of(3n) }))["y"]?.dims).toEqual([3]);
  });

  it("takes and gives float16 as bits", async () => {
    const session = await load(onnxArtifact(await fileBytes("half.onnx")));
    const { y } = await session.run({ x: Uint16Array.of(0x3c00, 0x4000) });
    expect(y).toEqual({ type: "float16", dims: [2], data: Uint16Array.of(0x4000, 0x4400) });
  });
});

it("says why there is no WebGPU in Node", async () => {
  expect(await webgpu().probe()).toEqual({ ok: false, why: "There is no WebGPU here." });
});

function tensor(dims: number[]) {
  return {
    type: "float32",
    dims,
    data: new Float32Array(dims.reduce((a, b) => a * b, 1)),
  } as const;
}
