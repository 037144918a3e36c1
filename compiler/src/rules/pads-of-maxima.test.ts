import { onnxArtifact } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { expect, it } from "vitest";
import { attribute, type Attributes, type Graph, type ValueId } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import { evaluateGraph } from "../ops/index.js";
import { simplify } from "../passes/simplify.js";
import { normalize } from "../passes/normalize.js";
import { keepZerosOfPads, misreadNotes, misreadPads } from "./pads-of-maxima.js";
import { type Builder, graphOf } from "./rule-case.test.support.js";
import { runRules } from "./run-rules.js";

const window: Attributes = { kernel_shape: attribute.ints([2, 2]) };
const around = [0, 0, 0, 0, 0, 0, 1, 1];

function pooled(build: (x: ValueId, b: Builder) => ValueId): Graph {
  return graphOf({ x: ["float32", 1, 2, 4, 4] }, (input, b) => ({
    y: b.add("MaxPool", [build(input("x"), b)], window),
  }));
}

const padding =
  (...fill: readonly number[]) =>
  (x: ValueId, b: Builder): ValueId =>
    b.add("Pad", [x, b.ints(around), ...fill.map((value) => b.floats([value], []))]);

const negative = {
  x: {
    type: "float32",
    dims: [1, 2, 4, 4],
    data: Float32Array.from({ length: 32 }, (_, at) => -1 - at),
  },
} as const;

async function answerOf(graph: Graph): Promise<readonly number[]> {
  const session = await cpu().load(onnxArtifact((await encodeModel(graph)).proto));
  try {
    const { y } = await session.run(negative);
    return [...(y?.data ?? [])].map(Number);
  } finally {
    await session.dispose();
  }
}

async function expectAsItSays(graph: Graph, expected: Graph): Promise<void> {
  const { y } = await evaluateGraph(expected, negative);
  const numbers = [...(y?.data ?? [])].map(Number);
  expect(numbers).toContain(0);
  const answer = await answerOf(graph);
  // −0 is as large as 0.
  expect(answer.map((value) => value + 0)).toEqual(numbers);
}

it.each<[string, Graph]>([
  ["not given", pooled(padding())],
  ["given", pooled(padding(0))],
  ["behind what moves it", pooled((x, b) => b.add("Identity", [padding(0)(x, b)]))],
])("has an engine pad with zeros that are %s, as the file says", async (_, graph) => {
  const own = graph.fork();
  await simplify.create({ keepMetadata: false }).run(own, {});
  await expectAsItSays(own, graph);
});

it("does so without being asked to simplify", async () => {
  const graph = pooled(padding(0));
  const own = graph.fork();
  await normalize.create({}).run(own, {});
  await expectAsItSays(own, graph);
});

it("says of which Pad it is, and changes it once", async () => {
  const graph = pooled(padding(0));
  expect(misreadNotes(graph)).toEqual([expect.stringContaining("a Pad before a MaxPool")]);
  expect(misreadPads(graph)).toHaveLength(1);
  await runRules(graph, [keepZerosOfPads], {});
  expect(misreadPads(graph)).toEqual([]);
  const { changes } = graph;
  await runRules(graph, [keepZerosOfPads], {});
  expect(graph.changes).toBe(changes);
});

it.each<[string, (x: ValueId, b: Builder) => ValueId]>([
  ["what is nowhere negative", (x, b) => padding(0)(b.add("Relu", [x]), b)],
  ["other numbers", padding(1)],
  ["−0", padding(-0)],
  [
    "what is repeated",
    (x, b) => b.add("Pad", [x, b.ints(around)], { mode: attribute.string("edge") }),
  ],
])("leaves %s", (_, build) => expect(misreadPads(pooled(build))).toEqual([]));
