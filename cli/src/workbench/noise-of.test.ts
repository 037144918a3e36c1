import { expect, it } from "vitest";
import { attribute, edit, Graph, inferNode, newHeader, tensorType } from "@pare/compiler";
import { syntheticSamples } from "./synthetic-samples.js";
import { noiseOf } from "./noise-of.js";

const strings = (value: readonly string[]) => ({ type: "strings" as const, value });

function encoding(cats: readonly string[] | null): Graph {
  const graph = new Graph(newHeader(21), inferNode);
  edit(
    graph,
    "build",
    (editor) => {
      editor.setOpset("ai.onnx.ml", 3);
      const x = editor.addInput("x", tensorType("string", [1, 3]));
      const own = cats === null ? { cats_int64s: attribute.ints([1]) } : { cats_strings: strings(cats) }; // prettier-ignore
      editor.addOutput(editor.add1("OneHotEncoder", [x], own, { domain: "ai.onnx.ml" }));
    },
    { interface: true },
  );
  return graph;
}

it("makes text up of the words that a model knows", async () => {
  const known = ["male", "female", "x".repeat(65)];
  expect(noiseOf(encoding(known)).words).toEqual(["male", "female"]);
  expect(noiseOf(encoding(null)).words).toBeUndefined();
  const samples = syntheticSamples([{ name: "x", type: "string", dims: [1, 3] }], 1, {
    noise: noiseOf(encoding(known)),
  });
  const { feeds } = await samples.sample(0);
  const texts = [...(feeds["x"]?.data ?? [])].flatMap((text) => String(text).split(" "));
  expect(texts.length).toBeGreaterThanOrEqual(3);
  for (const text of texts) expect(["male", "female"]).toContain(text);
});

it("gives suppression thresholds that an engine takes, and counts", async () => {
  const graph = new Graph(newHeader(21), inferNode);
  edit(
    graph,
    "build",
    (editor) => {
      const input = (name: string, dtype: "float32" | "int32", dims: readonly number[]) =>
        editor.addInput(name, tensorType(dtype, dims));
      const [boxes, scores] = [input("boxes", "float32", [1, 9, 4]), input("scores", "float32", [1, 1, 9])]; // prettier-ignore
      const count = editor.add1("Cast", [input("most", "int32", [1])], { to: attribute.int(7) });
      const overlap = editor.add1("Squeeze", [input("overlap", "float32", [1])]);
      editor.addOutput(
        editor.add1("NonMaxSuppression", [boxes, scores, count, overlap, input("least", "float32", [1])]), // prettier-ignore
      );
    },
    { interface: true },
  );
  expect(Object.fromEntries(noiseOf(graph).ranges)).toEqual({
    most: [1, 20],
    overlap: [0, 1],
    least: [0, 1],
  });
  const infos = [{ name: "most", type: "int32", dims: [1] }, { name: "overlap", type: "float32", dims: [1] }] as const; // prettier-ignore
  const samples = syntheticSamples(infos, 1, { noise: noiseOf(graph) });
  for (let at = 0; at < samples.size; at += 1) {
    const { feeds } = await samples.sample(at);
    expect(feeds["most"]?.data[0]).toBeGreaterThanOrEqual(1);
    expect(feeds["overlap"]?.data[0]).toBeGreaterThanOrEqual(0);
  }
});
