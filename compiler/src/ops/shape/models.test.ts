import { readFile } from "node:fs/promises";
import { byteSource } from "@pare/runtime/format";
import { describe, expect, test } from "vitest";
import { type Body, bodiesOf, dim, type Graph, type ValueId } from "../../ir/index.js";
import { decodeModel } from "../../onnx/index.js";
import { bindShapes } from "../../passes/bind-shapes.js";
import { normalizeGraph } from "../../passes/normalize.js";
import { inferAll, inferNode } from "./infer.js";

const models = [
  "mnist-cnn",
  "ocr-direction",
  "ocr-recognition",
  "blazeface-front",
  "silero-vad-v5",
];

/** Silero decides by its sizes which of two ranks a value has: they are given. */
const shapes: Readonly<Record<string, unknown>> = {
  "silero-vad-v5": { shapes: { input: [1, 512], state: [2, 1, 128] }, constants: { sr: 16000 } },
};

async function normalized(name: string): Promise<Graph> {
  const bytes = await readFile(
    new URL(`../../../../fixtures/models/${name}.onnx`, import.meta.url),
  );
  const graph = await decodeModel(
    { proto: byteSource(new Uint8Array(bytes)) },
    { infer: inferNode },
  );
  normalizeGraph(graph);
  if (shapes[name] !== undefined)
    await bindShapes.create(bindShapes.parse(shapes[name])).run(graph, {});
  return graph;
}

/** The values of the bodies that can run: not those of a branch that a known condition rules out. */
function reachable(graph: Graph, body: Body = graph.main): readonly ValueId[] {
  return graph.order(body).flatMap((node) => {
    const condition =
      node.op === "If" && node.inputs[0] ? graph.value(node.inputs[0]).elements?.[0] : undefined;
    const dead =
      condition === undefined
        ? undefined
        : node.attributes.get(condition === 0 ? "then_branch" : "else_branch");
    const bodies = bodiesOf(node).filter((inner) => dead?.type !== "graph" || inner !== dead.value);
    return [
      ...bodies.flatMap((inner) => reachable(graph, inner)),
      ...node.outputs.filter((id) => id !== null),
    ];
  });
}

describe("the fixture models", () => {
  test.each(models)("%s: every dtype and rank is known, in the inputs' sizes", async (name) => {
    const graph = await normalized(name);
    expect(inferAll(graph)).toEqual([]);
    const given = new Set(graph.main.inputs.flatMap((id) => symbolsOf(graph, id)));
    const ids = reachable(graph);
    expect(ids.length).toBeGreaterThan(5);
    const vague = ids.filter((id) => {
      const { type } = graph.value(id);
      const isKnown =
        type.kind === "tensor" && type.dtype !== undefined && type.shape !== undefined;
      return !isKnown || symbolsOf(graph, id).some((symbol) => !given.has(symbol));
    });
    expect(vague.map((id) => graph.value(id).name)).toEqual([]);
  });

  test.each(models)("%s: inferring again changes nothing", async (name) => {
    const graph = await normalized(name);
    inferAll(graph);
    const { changes } = graph;
    const types = [...graph.allValues()].map(({ type }) => type);
    inferAll(graph);
    expect([...graph.allValues()].map(({ type }) => type)).toEqual(types);
    expect(graph.changes).toBe(changes);
  });
});

function symbolsOf(graph: Graph, id: ValueId): string[] {
  const { type } = graph.value(id);
  if (type.kind !== "tensor" || type.shape === undefined) return [];
  return type.shape.flatMap((size) => [...dim.symbolsOf(size)]);
}
