import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  attribute,
  build,
  dim,
  distill,
  distillGraph,
  encodeModel,
  type Examples,
  type Graph,
  inferNode,
  initializeFresh,
  newHeader,
  randomOf,
  Tensor,
  tensorType,
  type Workers,
} from "@pare/compiler";
import { onnxArtifact } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { engineThreads } from "./engine-threads.js";

let folder = "";
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "pare-threads-"))));
afterAll(() => rm(folder, { recursive: true }));

/** [N, 6] to four classes, with a dropout on the way. */
function network(): Graph {
  const graph = build(newHeader(21), inferNode, (editor) => {
    const zeros = (name: string, ...dims: readonly number[]) => {
      const count = dims.reduce((a, b) => a * b, 1);
      return editor.constant(name, Tensor.float32(dims, new Float32Array(count)));
    };
    const x = editor.addInput("x", tensorType("float32", [dim.symbol("N"), 6]));
    const hidden = editor.add1("Gemm", [x, zeros("a.w", 6, 16), zeros("a.b", 16)]);
    const ratio = editor.constant("ratio", Tensor.float32([], [0.25]));
    const dropped = editor.add1("Dropout", [editor.add1("Relu", [hidden]), ratio]);
    const scores = editor.add1("Gemm", [dropped, zeros("b.w", 16, 4), zeros("b.b", 4)], {
      alpha: attribute.float(1),
    });
    editor.rename(scores, "scores");
    editor.addOutput(scores);
  });
  initializeFresh(graph, (name) => randomOf(1, name));
  return graph;
}

/** Points about four others. */
function examples(workers?: Workers): Examples {
  const draw = randomOf(2, "points");
  const all = Array.from({ length: 60 }, (_, index) => {
    const label = index % 4;
    const data = Float32Array.from({ length: 6 }, (__, at) => draw() + (at === label ? 1 : 0));
    return { feeds: { x: { type: "float32" as const, dims: [1, 6], data } }, label };
  });
  return {
    executor: cpu(),
    workers,
    count: all.length,
    async *read() {
      yield* all;
    },
  };
}

async function trained(
  workers: number,
  threads?: Workers,
): Promise<{ readonly losses: readonly number[]; readonly weights: readonly number[] }> {
  const graph = network();
  const options = distill.parse({ epochs: 4, batch: 13, rate: 0.01, workers });
  const { history } = await distillGraph(graph, options, {
    examples: examples(threads),
    random: (name) => randomOf(3, name),
  });
  const weights: number[] = [];
  for (const { constant } of graph.allValues())
    if (constant?.dtype === "float32") weights.push(...(await constant.readFloat32()));
  return { losses: history.map(({ loss }) => loss), weights };
}

it("train two workers in threads as one is trained, within rounding, the same twice", async () => {
  const one = await trained(1);
  const two = await trained(2, engineThreads("cpu", 2, 1));
  const again = await trained(2, engineThreads("cpu", 2, 1));
  expect(again).toEqual(two);
  for (const [at, loss] of one.losses.entries()) expect(two.losses[at]).toBeCloseTo(loss, 5);
  for (const [at, weight] of one.weights.entries())
    expect(Math.abs((two.weights[at] ?? Number.NaN) - weight)).toBeLessThan(1e-3);
  expect(one.losses.at(-1)).toBeLessThan((one.losses[0] ?? 0) * 0.9);
});

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
