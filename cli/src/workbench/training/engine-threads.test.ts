import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, encodeModel, inferNode, newHeader, tensorType, type Workers } from "@pare/compiler";
import { onnxArtifact } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { wasm } from "@pare/runtime/ort-web";
import { afterAll, beforeAll, expect, it } from "vitest";
import { engineThreads } from "./engine-threads.js";
import { trained } from "./small-training.test.support.js";

let folder = "";
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "pare-threads-"))));
afterAll(() => rm(folder, { recursive: true }));

it.each([
  ["cpu", cpu()],
  ["wasm", wasm({ threads: 1 })],
] as const)(
  "train two workers on %s as one is trained, within rounding, the same twice",
  async (target, executor) => {
    const one = await trained(1, executor);
    const two = await trained(2, executor, engineThreads(target, 2, 1));
    const again = await trained(2, executor, engineThreads(target, 2, 1));
    expect(again).toEqual(two);
    for (const [at, loss] of one.losses.entries()) expect(two.losses[at]).toBeCloseTo(loss, 5);
    for (const [at, weight] of one.weights.entries())
      expect(Math.abs((two.weights[at] ?? Number.NaN) - weight)).toBeLessThan(1e-3);
    expect(one.losses.at(-1)).toBeLessThan((one.losses[0] ?? 0) * 0.9);
  },
);

/** y = x + w in a thread. */
async function inThread<T>(
  use: (executor: Awaited<ReturnType<Workers["open"]>>["executors"][number]) => Promise<T>,
  entry?: string,
): Promise<T> {
  const opened = await engineThreads("cpu", 2, 1, entry).open(1);
  try {
    const [executor] = opened.executors;
    if (executor === undefined) throw new Error("no thread");
    return await use(executor);
  } finally {
    await opened.close();
  }
}

const artifact = async () => {
  const graph = build(newHeader(21), inferNode, (editor) => {
    const [x, w] = ["x", "w"].map((name) => editor.addInput(name, tensorType("float32", [3])));
    const y = editor.add1("Add", [x ?? null, w ?? null]);
    editor.rename(y, "y");
    editor.addOutput(y);
  });
  return onnxArtifact((await encodeModel(graph)).proto);
};

const three = (data: Float32Array) => ({ type: "float32" as const, dims: [3], data });

it("reads shared memory where it lies, leaves feeds alone, and gives outputs away", async () => {
  const ys = await inThread(async (executor) => {
    const session = await executor.load(await artifact());
    expect(session.inputs.map(({ name }) => name)).toEqual(["x", "w"]);
    const w = new Float32Array(new SharedArrayBuffer(12));
    const among = Float32Array.of(9, 1, 2, 3, 9);
    const x = among.subarray(1, 4);
    const first = await session.run({ x: three(x), w: three(w) });
    w.set([10, 20, 30]);
    const second = await session.run({ x: three(x), w: three(w) });
    expect([...among]).toEqual([9, 1, 2, 3, 9]);
    await session.dispose();
    await session.dispose();
    await expect(session.run({ x: three(x), w: three(w) })).rejects.toMatchObject({
      code: "DISPOSED",
    });
    return [first, second].map((outputs) => [...(outputs["y"]?.data ?? [])]);
  });
  expect(ys).toEqual([
    [1, 2, 3],
    [11, 22, 33],
  ]);
});

it("writes outputs into shared memory where it is given, and sends those that are not", async () => {
  await inThread(async (executor) => {
    const session = await executor.load(await artifact());
    const y = new Float32Array(new SharedArrayBuffer(12));
    const feeds = { x: three(Float32Array.of(1, 2, 3)), w: three(Float32Array.of(4, 5, 6)) };
    for (const _ of ["named", "known"]) {
      y.fill(0);
      const outputs = await session.run(feeds, undefined, { y: three(y) });
      expect(outputs["y"]?.data).toBe(y);
      expect([...y]).toEqual([5, 7, 9]);
    }
    const other = new Float32Array(new SharedArrayBuffer(12));
    expect((await session.run(feeds, undefined, { y: three(other) }))["y"]?.data).toBe(other);
    expect([...other]).toEqual([5, 7, 9]);
    const own = new Float32Array(3);
    const sent = await session.run(feeds, undefined, { y: three(own) });
    expect([...own]).toEqual([0, 0, 0]);
    expect([...(sent["y"]?.data ?? [])]).toEqual([5, 7, 9]);
    const none = (await session.run(feeds))["y"]?.data;
    expect(none).not.toBe(other);
  });
});

it("says what the engine says, and what feeds lack", async () => {
  await inThread(async (executor) => {
    const broken = executor.load(onnxArtifact(Uint8Array.of(1, 2, 3)));
    await expect(broken).rejects.toMatchObject({ code: "ENGINE", where: "worker 2 of 2" });
    const session = await executor.load(await artifact());
    await expect(session.run({ x: three(new Float32Array(3)) })).rejects.toMatchObject({
      code: "INPUT",
    });
    const stop = new AbortController();
    stop.abort();
    const feeds = { x: three(new Float32Array(3)), w: three(new Float32Array(3)) };
    await expect(session.run(feeds, stop.signal)).rejects.toMatchObject({ code: "ABORTED" });
    expect((await session.run(feeds))["y"]?.dims).toEqual([3]);
  });
});

it.each([
  ["ends", "process.exit(3)", /^worker 2 of 2 is gone: it ended with status 3\.$/],
  ["throws", "throw new Error('no more')", /^worker 2 of 2 is gone: no more\.$/],
])("is a typed error where a thread %s in the middle of a run", async (how, ends, message) => {
  const entry = join(folder, `${how}.mjs`);
  await writeFile(
    entry,
    `import { parentPort } from "node:worker_threads";
const info = { name: "x", type: "float32", dims: [3] };
parentPort.on("message", ({ kind, id }) => {
  if (kind === "run") { ${ends} }
  const loaded = { session: id, inputs: [info], outputs: [] };
  parentPort.postMessage({ id, kind: kind === "load" ? "loaded" : "done", loaded });
});`,
  );
  await inThread(async (executor) => {
    const session = await executor.load(await artifact());
    const x = three(new Float32Array(3));
    await expect(session.run({ x })).rejects.toMatchObject({
      code: "ENGINE",
      message: expect.stringMatching(message),
      hint: expect.stringContaining("--workers 1"),
    });
    await expect(session.run({ x })).rejects.toMatchObject({ code: "ENGINE" });
    await session.dispose();
  }, entry);
});
