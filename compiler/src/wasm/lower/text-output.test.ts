import { describe, expect, it } from "vitest";
import { attribute, Tensor, type ValueId } from "../../ir/index.js";
import { byEngine, byModule, difference, floats } from "../../passes/classical/classical-case.test.support.js"; // prettier-ignore
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { aot } from "../../targets/aot.js";
import { supportOf } from "../../targets/support.js";

const names = ["no", "maybe", "dépêche \u2028 \"quoted\""]; // prettier-ignore
const text = (b: Builder, labels: readonly string[] = names): ValueId =>
  b.editor.constant("labels", Tensor.of("string", [labels.length], [...labels]));
const int64 = { to: attribute.int(7) };

/** Three scores of each of four samples, and which is the largest in words. */
function told(tell: (b: Builder, x: ValueId) => ValueId) {
  return graphOf({ x: ["float32", 4, 3] }, (input, b) => ({
    label: tell(b, input("x")),
    scores: b.add("Neg", [input("x")]),
  }));
}

const largest = (b: Builder, x: ValueId) =>
  b.add("ArgMax", [x], { axis: attribute.int(1), keepdims: attribute.int(0) });
const x = floats([4, 3], [1, 2, 3, 3, 2, 1, 0, 5, 0, 1, 1, 1]);

describe("an output of text", () => {
  it.each<[string, (b: Builder, x: ValueId) => ValueId]>([
    ["the largest of some", (b, scores) => b.add("Gather", [text(b), largest(b, scores)])],
    ["the largest, in an axis of its own", (b, scores) => b.add("Gather", [text(b), b.add("Unsqueeze", [largest(b, scores), b.ints([1])])])], // prettier-ignore
    ["one of two", (b, scores) => b.add("Gather", [text(b), b.add("Cast", [b.add("Greater", [scores, b.floats([1])])], int64)])], // prettier-ignore
  ])("is looked up by who loads the module: %s", async (_, tell) => {
    const graph = told(tell);
    expect((await supportOf(graph, aot)).obstacles).toEqual([]);
    const [expected, found] = [await byEngine(graph, { x }), await byModule(graph, { x })];
    expect(found["label"]).toEqual({ ...expected["label"], data: [...(expected["label"]?.data ?? [])] }); // prettier-ignore
    expect(found["label"]?.type).toBe("string");
    const { scores } = expected;
    expect(difference({ ...(scores && { scores }) }, found)).toBe(0);
  });

  it.each<[string, (b: Builder, x: ValueId) => ValueId]>([
    ["a place may be outside of the table", (b, scores) => b.add("Gather", [text(b), b.add("Cast", [scores], int64)])], // prettier-ignore
    ["there are fewer names", (b, scores) => b.add("Gather", [text(b, ["no", "yes"]), largest(b, scores)])], // prettier-ignore
    ["more is done with it", (b, scores) => b.add("Reshape", [b.add("Gather", [text(b), largest(b, scores)]), b.ints([2, 2])])], // prettier-ignore
  ])("is not compiled where %s", async (_, tell) => {
    const { obstacles } = await supportOf(told(tell), aot);
    expect(obstacles.map(({ reason }) => reason).join("; ")).toMatch(/string/);
  });
});
