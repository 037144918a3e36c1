import { expect, it } from "vitest";
import { attribute, edit, Graph, inferNode, newHeader, tensorType } from "@pare/compiler";
import { syntheticSamples } from "./synthetic-samples.js";
import { wordsOf } from "./words-of.js";

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
  expect(wordsOf(encoding(known))).toEqual(["male", "female"]);
  expect(wordsOf(encoding(null))).toBeUndefined();
  const samples = syntheticSamples([{ name: "x", type: "string", dims: [1, 3] }], 1, {
    words: wordsOf(encoding(known)),
  });
  const { feeds } = await samples.sample(0);
  const texts = [...(feeds["x"]?.data ?? [])].flatMap((text) => String(text).split(" "));
  expect(texts.length).toBeGreaterThanOrEqual(3);
  for (const text of texts) expect(["male", "female"]).toContain(text);
});
