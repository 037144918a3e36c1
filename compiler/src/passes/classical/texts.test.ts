import * as fc from "fast-check";
import type { Tensor as Dense } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { attribute, type Attributes, type Body, type Graph, Tensor, type ValueId } from "../../ir/index.js"; // prettier-ignore
import { type Builder, graphOf, opsOf } from "../../rules/rule-case.test.support.js";
import { aot } from "../../targets/aot.js";
import { supportOf } from "../../targets/support.js";
import { cases } from "../../wasm/cases.test.support.js";
import { byEngine, byModule, difference, strings } from "./classical-case.test.support.js";
import { sayTexts } from "./texts.js";

const domain = "ai.onnx.ml";
const known = ["male", "female", "", "ünder ✓", "__proto__", "0"];
const word = fc.constantFrom(...known, "unknown", "Male");
const texts = (dims: readonly number[], data: readonly string[]): Dense => ({ type: "string", dims, data }); // prettier-ignore

function ml(b: Builder, op: string, inputs: readonly ValueId[], attributes: Attributes): ValueId {
  return b.editor.add1(op, inputs, attributes, { domain });
}

function emptyBranch(b: Builder): Body {
  const body = b.editor.addBody("other");
  const zero = b.editor.constant("zero", Tensor.float32([2, 1], [0, 0]), body);
  b.editor.addOutput(b.editor.add1("Identity", [zero], {}, { body }), body);
  return body;
}

const oneHot = (words: readonly string[]) => ({
  cats_strings: strings(words),
  zeros: attribute.int(1),
});

/** What looks texts up: categories, and tables to integers and to floats. */
const readers: readonly ((b: Builder, x: ValueId, words: readonly string[]) => ValueId)[] = [
  (b, x, words) => ml(b, "OneHotEncoder", [x], oneHot(words)),
  (b, x, words) =>
    ml(b, "LabelEncoder", [x], {
      keys_strings: strings(words),
      values_int64s: attribute.ints(words.map((_, at) => 7 * at - 3)),
      default_int64: attribute.int(-9),
    }),
  (b, x, words) =>
    ml(b, "LabelEncoder", [x], {
      keys_strings: strings(words),
      values_floats: attribute.floats(words.map((_, at) => at / 4)),
      default_float: attribute.float(0.5),
    }),
];

/** What moves texts [2, 2] before they are looked up. */
const moves: readonly ((b: Builder, x: ValueId, y: ValueId) => ValueId)[] = [
  (_, x) => x,
  (b, x) => b.add("Reshape", [x, b.ints([-1, 1])]),
  (b, x) => b.add("Transpose", [x]),
  (b, x, y) => b.add("Concat", [x, y], { axis: attribute.int(1) }),
  (b, x) => ml(b, "ArrayFeatureExtractor", [x, b.ints([1])], {}),
];

describe("texts that are only looked up", () => {
  it("are places for a module, and give what the engine gives", async () => {
    const problem = fc.record({
      x: fc.array(word, { minLength: 4, maxLength: 4 }),
      y: fc.array(word, { minLength: 4, maxLength: 4 }),
      lists: fc.array(fc.uniqueArray(fc.constantFrom(...known), { minLength: 1 }), {
        minLength: 2,
        maxLength: 2,
      }),
      first: fc.constantFrom(...readers),
      second: fc.constantFrom(...readers),
      move: fc.constantFrom(...moves),
    });
    await fc.assert(
      fc.asyncProperty(problem, async ({ x, y, lists: [own = [], other = []], ...p }) => {
        const graph = graphOf({ x: ["string", 2, 2], y: ["string", 2, 2] }, (input, b) => {
          b.editor.setOpset(domain, 3);
          const moved = p.move(b, input("x"), input("y"));
          return { a: p.first(b, moved, own), b: p.second(b, input("y"), other) };
        });
        expect((await supportOf(graph, aot)).obstacles).toEqual([]);
        const feeds = { x: texts([2, 2], x), y: texts([2, 2], y) };
        const expected = await byEngine(graph, feeds);
        expect(difference(expected, await byModule(graph, feeds))).toBe(0);
      }),
      { numRuns: cases(40) },
    );
  });

  it("leave a graph without a reader of text but the lists of its inputs", () => {
    const graph = graphOf({ x: ["string", 2, 1] }, (input, b) => ({
      y: ml(b, "OneHotEncoder", [input("x")], oneHot(["a", "b"])),
    }));
    sayTexts(graph);
    expect(opsOf(graph)).toEqual(["LabelEncoder", "OneHotEncoder"]);
    expect(graph.order()[1]?.attributes.get("cats_int64s")).toEqual(attribute.ints([0, 1]));
  });
});

it.each<[string, (b: Builder, x: ValueId) => Readonly<Record<string, ValueId>>]>([
  ["something else reads them", (b, x) => ({ y: ml(b, "OneHotEncoder", [x], oneHot(["a"])), z: b.add("StringNormalizer", [x]) })],
  ["they become other texts", (b, x) => ({ y: ml(b, "LabelEncoder", [x], { keys_strings: strings(["a"]), values_strings: strings(["b"]) }) })],
  ["they are given back", (b, x) => ({ y: ml(b, "OneHotEncoder", [x], oneHot(["a"])), z: b.add("Reshape", [x, b.ints([-1])]) })],
  ["a branch looks them up", (b, x) => {
    const body = b.editor.addBody("branch");
    b.editor.addOutput(b.editor.add1("OneHotEncoder", [x], oneHot(["a"]), { domain, body }), body);
    const either = { then_branch: attribute.graph(body), else_branch: attribute.graph(emptyBranch(b)) };
    return { y: ml(b, "OneHotEncoder", [x], oneHot(["b"])), z: b.add("If", [b.editor.constant("always", Tensor.of("bool", [], Uint8Array.of(1)))], either) };
  }],
  ["nothing is known", (b, x) => ({ y: ml(b, "OneHotEncoder", [x], oneHot([])) })],
])("stay texts where %s, and are no module's", async (_, build) => {
  const graph: Graph = graphOf({ x: ["string", 2] }, (input, b) => {
    b.editor.setOpset(domain, 3);
    return build(b, input("x"));
  });
  const before = opsOf(graph);
  sayTexts(graph);
  expect(opsOf(graph)).toEqual(before);
  const { obstacles } = await supportOf(graph, aot);
  expect(obstacles.map(({ reason }) => reason)).toContain("the model takes or gives string");
}); // prettier-ignore
