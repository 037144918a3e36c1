import { readFile } from "node:fs/promises";
import { byteSource, elementCount, type Tensors } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { type Graph, printGraph, verifyGraph } from "../ir/index.js";
import { decodeModel, encodeModel } from "../onnx/index.js";
import { inferNode } from "../ops/index.js";
import { compare } from "../rules/rule-case.test.support.js";
import { bindShapes } from "./bind-shapes.js";
import { runBytes } from "./opset/opset-case.test.support.js";
import { randomFrom, scrambled } from "./scramble.test.support.js";
import { simplifyGraph } from "./simplify.js";

interface ModelCase {
  readonly file: string;
  /** Nodes at most, and as the file is: onnxslim's counts where it was tried. */
  readonly nodes: readonly [before: number, atMost: number];
  readonly bind?: unknown;
  readonly feeds?: Tensors;
}

const speech = {
  input: { type: "float32", dims: [1, 512], data: noise(512) },
  state: { type: "float32", dims: [2, 1, 128], data: noise(256) },
  sr: { type: "int64", dims: [], data: BigInt64Array.of(16000n) },
} as const satisfies Tensors;

const models: Readonly<Record<string, ModelCase>> = {
  "ocr-direction": { file: "ocr-direction", nodes: [471, 125] },
  // onnxslim 393, onnxsim 559
  "ocr-recognition": { file: "ocr-recognition", nodes: [765, 173] },
  // onnxslim 93, onnxsim 93
  "blazeface-front": { file: "blazeface-front", nodes: [104, 93] },
  "mnist-cnn": { file: "mnist-cnn", nodes: [10, 10] },
  "transformer block": { file: "latency/enc-64x128", nodes: [33, 29] },
  "separable convolutions": { file: "latency/kws-dscnn", nodes: [22, 22] },
  "silero-vad-v5": { file: "silero-vad-v5", nodes: [689, 148], feeds: speech },
  "silero-vad-v5 at one rate and size": {
    file: "silero-vad-v5",
    nodes: [689, 29],
    feeds: speech,
    bind: { shapes: { input: [1, 512], state: [2, 1, 128] }, constants: { sr: 16000 } },
  },
};

const cases = Object.entries(models);

async function bytesOf(file: string): Promise<Uint8Array> {
  return readFile(new URL(`../../../fixtures/models/${file}.onnx`, import.meta.url));
}

async function open(bytes: Uint8Array): Promise<Graph> {
  return decodeModel({ proto: byteSource(bytes) }, { infer: inferNode });
}

async function simplified({ bind }: ModelCase, graph: Graph): Promise<Graph> {
  if (bind !== undefined) await bindShapes.create(bindShapes.parse(bind)).run(graph, {});
  await simplifyGraph(graph, {});
  return graph;
}

/** A file, how many nodes and which inputs it has, and what is made of it: once, for all that is asked of it. */
async function madeOf(model: ModelCase) {
  const bytes = await bytesOf(model.file);
  const given = await open(bytes);
  const nodes = [...given.allNodes()].length;
  const feeds = model.feeds ?? madeUp(given);
  const graph = await simplified(model, given);
  return { bytes, nodes, feeds, graph, text: await printGraph(graph) };
}

describe.each(cases)("%s", (name, model) => {
  let made: ReturnType<typeof madeOf> | undefined;
  const known = () => (made ??= madeOf(model));

  it("has no more nodes than other simplifiers leave, gives the same, and is no larger", async () => {
    const { bytes, nodes, feeds, graph } = await known();
    const [before, atMost] = model.nodes;
    expect(nodes).toBe(before);
    verifyGraph(graph, name);
    expect([...graph.allNodes()].length).toBeLessThanOrEqual(atMost);
    const { proto } = await encodeModel(graph);
    expect(proto.byteLength).toBeLessThanOrEqual(bytes.byteLength);
    const expected = await runBytes(bytes, feeds);
    const taken = new Set(graph.main.inputs.map((id) => graph.value(id).name));
    const actual = await runBytes(
      proto,
      Object.fromEntries(Object.entries(feeds).filter(([input]) => taken.has(input))),
    );
    for (const [output, tensor] of Object.entries(expected))
      compare(output, tensor, actual[output], 1e-5);
  });

  it("comes out as the golden says", async () => {
    const { text } = await known();
    await expect(`${text}\n`).toMatchFileSnapshot(`goldens/${name.replaceAll(" ", "-")}.txt`);
  });

  it("comes out the same however the file was written", async () => {
    const { bytes, text } = await known();
    const other = await scrambled(await open(bytes), 20251125);
    expect(await printGraph(await simplified(model, other))).toBe(text);
  });

  it("has nothing left to do the second time", async () => {
    const { graph, text } = await known();
    const again = graph.fork();
    await simplifyGraph(again, {});
    expect(await printGraph(again)).toBe(text);
  });
});

/** Inputs of ±1; free dims are 1 for the first axis and 64 beyond. */
function madeUp(graph: Graph): Tensors {
  return Object.fromEntries(
    graph.main.inputs.map((id) => {
      const { name, type } = graph.value(id);
      if (type.kind !== "tensor" || type.dtype !== "float32")
        throw new Error(`cannot make up ${name}`);
      const dims = (type.shape ?? []).map((size, axis) =>
        typeof size === "number" ? size : axis === 0 ? 2 : 64,
      );
      return [name, { type: type.dtype, dims, data: noise(elementCount(dims)) }];
    }),
  );
}

function noise(count: number): Float32Array {
  const random = randomFrom(count);
  return Float32Array.from({ length: count }, () => random() * 2 - 1);
}
