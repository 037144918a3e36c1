import { expect, it } from "vitest";
import { attribute, type Attributes, tensorType } from "../ir/index.js";
import { graphOf, opsOf } from "../rules/rule-case.test.support.js";
import { byEngine, floats, strings } from "./classical/classical-case.test.support.js";
import { outputsToTensors } from "./outputs-to-tensors.js";
import { normalizeGraph } from "./normalize.js";

const scoresByClass = { kind: "map", key: "int64", value: tensorType("float32", []) } as const;

function classifier(labels: Attributes) {
  return graphOf({ x: ["float32", "N", 2] }, (input, { add, editor }) => {
    editor.setOpset("ai.onnx.ml", 3);
    const scores = add("Softmax", [input("x")], { axis: attribute.int(1) });
    const maps = editor.add1("ZipMap", [scores], labels, { domain: "ai.onnx.ml" });
    editor.setType(maps, { kind: "sequence", element: scoresByClass });
    return { probabilities: maps };
  });
}

const numbered = { classlabels_int64s: attribute.ints([4, 7]) };

it("gives scores where a model makes maps of them, which the engine then runs", async () => {
  const feeds = { x: floats([1, 2], [0, 0]) };
  await expect(byEngine(classifier(numbered), feeds)).rejects.toThrow("no tensor");
  const graph = classifier(numbered);
  const [note, ...others] = outputsToTensors(graph);
  expect(others).toEqual([]);
  expect(note).toContain("probabilities is a map");
  expect(note).toContain("(4, 7)");
  expect(opsOf(graph)).toEqual(["Softmax"]);
  expect(outputsToTensors(graph)).toEqual([]);
  expect(Object.entries(await byEngine(graph, feeds))).toEqual([
    ["probabilities", floats([1, 2], [0.5, 0.5])],
  ]);
});

it("names labels that are text, and no more than ten", () => {
  const [note] = outputsToTensors(
    classifier({ classlabels_strings: strings("a b c d e f g h i j k l".split(" ")) }),
  );
  expect(note).toContain("(a, b, c, d, e, f, g, h, i, j, …)");
});

it("lets no label of a stranger begin a line of its own", () => {
  const [note] = outputsToTensors(
    classifier({ classlabels_strings: strings(["a", "\nerror: b"]) }),
  );
  expect(note).toContain("(a, \\u{a}error: b)");
});

it("is part of the form that passes are written for", () => {
  const graph = classifier(numbered);
  normalizeGraph(graph);
  expect(opsOf(graph)).toEqual(["Softmax"]);
});

it("gives the tensors of a sequence, each as an output behind the others, which the engine then runs", async () => {
  const make = () =>
    graphOf({ x: ["float32", "N", 2], parts_0: ["float32", 2] }, (input, { add }) => {
      const doubled = add("Add", [input("x"), input("x")]);
      const both = add("SequenceConstruct", [doubled, input("parts_0"), doubled]);
      return { parts: both, y: add("Neg", [doubled]) };
    });
  const feeds = { x: floats([1, 2], [3, 4]), parts_0: floats([2], [1, 2]) };
  await expect(byEngine(make(), feeds)).rejects.toThrow("no tensor");
  const graph = make();
  expect(outputsToTensors(graph)).toEqual([
    "parts is a sequence, which engines in JavaScript do not give: its tensors are outputs of their own (parts_0_, parts_1, parts_2).",
  ]);
  expect(outputsToTensors(graph)).toEqual([]);
  normalizeGraph(graph);
  expect(opsOf(graph)).not.toContain("SequenceConstruct");
  expect(await byEngine(graph, feeds)).toEqual({
    y: floats([1, 2], [-6, -8]),
    parts_0_: floats([1, 2], [6, 8]),
    parts_1: floats([2], [1, 2]),
    parts_2: floats([1, 2], [6, 8]),
  });
});

it("leaves a sequence that holds what is no tensor", () => {
  const graph = graphOf({ x: ["float32", "N", 2] }, (input, { add, editor }) => {
    editor.setOpset("ai.onnx.ml", 3);
    const maps = editor.add1("ZipMap", [input("x")], numbered, { domain: "ai.onnx.ml" });
    editor.setType(maps, { kind: "sequence", element: scoresByClass });
    return { parts: add("SequenceConstruct", [maps]) };
  });
  expect(outputsToTensors(graph)).toEqual([]);
});
