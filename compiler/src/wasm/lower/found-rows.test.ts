import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { attribute, type Graph, type ValueId } from "../../ir/index.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { refusalsOf } from "../compile.js";
import { compare } from "../run-model.test.support.js";

/** Both modules, with memory poisoned between steps, and the references, against onnxruntime. */
async function expectAgreement(graph: Graph): Promise<void> {
  expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(1e-6);
}

interface Filter {
  readonly boxes: number;
  /** What scores, of 0 to 1, are more than. */
  readonly above: number;
  /** What suppression asks of them as well. */
  readonly threshold: number;
  /** How many of the kept boxes are given. */
  readonly most: number;
  readonly share: number;
}

interface Found {
  readonly boxes: ValueId;
  readonly scores: ValueId;
  /** Where scores are high. */
  readonly places: ValueId;
  /** The boxes that are there, and their scores. */
  readonly own: ValueId;
  readonly ownScores: ValueId;
  /** Which of them suppression keeps. */
  readonly kept: ValueId;
  /** Those, and their scores beside them. */
  readonly rows: ValueId;
}

/** Boxes of high scores, of which those are kept that overlap none that is better. */
function filtered(
  { boxes: count, above, most, share, threshold }: Filter,
  build: (found: Found, b: Builder) => Readonly<Record<string, ValueId>>,
): Graph {
  return graphOf(
    { boxes: ["float32", count, 4], scores: ["float32", count], classes: ["float32", count] },
    (input, b) => {
      const stepped = b.add("Round", [b.add("Mul", [input("scores"), b.floats([9], [])])]);
      const scores = b.add("Abs", [b.add("Div", [stepped, b.floats([9], [])])]);
      const boxes = input("boxes");
      const places = b.add("Transpose", [
        b.add("NonZero", [b.add("Greater", [scores, b.floats([above], [])])]),
      ]);
      const own = b.add("GatherND", [boxes, places]);
      const ownScores = b.add("GatherND", [scores, places]);
      // As many numbers as boxes, said by their shape.
      const shape = b.add("Concat", [b.add("Slice", [b.add("Shape", [own]), b.ints([0]), b.ints([1])]), b.ints([4])], { axis: attribute.int(0) }); // prettier-ignore
      const classes = b.add("GatherND", [input("classes"), places]);
      const offsets = b.add("Expand", [b.add("Unsqueeze", [classes, b.ints([1])]), shape]);
      const moved = b.add("Add", [own, offsets]);
      const found = b.add("NonMaxSuppression", [
        b.add("Unsqueeze", [moved, b.ints([0])]),
        b.add("Unsqueeze", [ownScores, b.ints([0, 1])]),
        b.ints([2 ** 40]),
        b.floats([share]),
        b.floats([threshold]),
      ]);
      const column = b.add("Gather", [found, b.ints([2], [])], { axis: attribute.int(1) });
      const kept = b.add("Slice", [column, b.ints([0]), b.ints([most]), b.ints([0])]);
      const scoresBeside = b.add("Unsqueeze", [b.add("Gather", [ownScores, kept]), b.ints([1])]);
      const rows = b.add("Concat", [b.add("Gather", [own, kept]), scoresBeside], { axis: attribute.int(1) }); // prettier-ignore
      return build({ boxes, scores, places, own, ownScores, kept, rows }, b);
    },
  );
}

/** Rows of five numbers, with zeros behind them, as `torch.nn.functional.pad` writes it. */
function padded({ rows }: Found, b: Builder, all: number): ValueId {
  const there = b.add("Gather", [b.add("Shape", [rows]), b.ints([0], [])]);
  const missing = b.add("Mul", [b.add("Sub", [b.ints([all], []), there]), b.ints([5], [])]);
  const line = b.add("Reshape", [rows, b.ints([-1])]);
  const pads = b.add("Concat", [b.ints([0]), b.add("Unsqueeze", [missing, b.ints([0])])], { axis: attribute.int(0) }); // prettier-ignore
  return b.add("Reshape", [b.add("Pad", [line, pads]), b.ints([1, all, 5])]);
}

const usual: Filter = { boxes: 12, above: 0.3, most: 4, share: 0.4, threshold: 0 };
/** Some, none, none of some, one of them and all. */
const often = [usual, { ...usual, above: 2 }, { ...usual, threshold: 2 }, { ...usual, most: 1 }, { ...usual, above: -1, most: 12 }]; // prettier-ignore

it.each<[string, (found: Found, b: Builder, one: Filter) => ValueId]>([
  ["where they are", ({ places }) => places],
  ["what is there", ({ own }) => own],
  ["which are kept", ({ kept }) => kept],
  ["the first of those", ({ rows }) => rows],
  ["rows, and zeros behind them", (found, b, { most }) => padded(found, b, most)],
  ["rows, and more zeros", (found, b) => padded(found, b, 20)],
  ["the first rows that are there", ({ own }, b) => b.add("Slice", [own, b.ints([0]), b.ints([3]), b.ints([0])])], // prettier-ignore
  ["the first of the first", ({ rows }, b) => b.add("Slice", [rows, b.ints([0]), b.ints([2]), b.ints([0])])], // prettier-ignore
  ["what is computed of them", ({ rows }, b) => b.add("Softmax", [b.add("MatMul", [rows, b.weights(5, 6)])])], // prettier-ignore
])("computes of what a run finds: %s", async (_, build) => {
  for (const one of often)
    await expectAgreement(filtered(one, (found, b) => ({ y: build(found, b, one) })));
});

it("keeps of the boxes that are there those that onnxruntime keeps", async () => {
  const problem: fc.Arbitrary<Filter> = fc.record({
    boxes: fc.integer({ min: 1, max: 14 }),
    above: fc.constantFrom(-1, 0, 0.2, 0.5, 0.9, 2),
    most: fc.constantFrom(1, 2, 5, 100),
    share: fc.constantFrom(0, 0.25, 0.5, 1),
    threshold: fc.constantFrom(0, 0.5, 2),
  });
  await fc.assert(
    fc.asyncProperty(problem, (one) =>
      expectAgreement(
        filtered(one, (found, b) => ({ rows: found.rows, all: padded(found, b, Math.max(one.boxes, one.most)) })), // prettier-ignore
      ),
    ),
    { numRuns: cases(60) },
  );
});

it.each(["bool", "float32", "int32", "int64"] as const)("finds what is not 0: %s", async (type) => {
  for (const dims of [[7], [2, 5], [3, 1, 4]])
    await expectAgreement(
      graphOf({ x: ["float32", ...dims] }, (input, b) => {
        const codes = { bool: 9, float32: 1, int32: 6, int64: 7 };
        const rounded = b.add("Cast", [b.add("Round", [input("x")])], { to: attribute.int(codes[type]) }); // prettier-ignore
        const found = b.add("NonZero", [rounded]);
        return { y: b.add("Transpose", [found]) };
      }),
    );
});

const counted = "rows of which only a run knows how many there are";

it.each<[string, string, (found: Found, b: Builder) => ValueId]>([
  ["Shape", "it works across", ({ own }, b) => b.add("Shape", [own])],
  ["Cast", "it works across", ({ own }, b) => b.add("Cast", [b.add("Shape", [own])], { to: attribute.int(1) })], // prettier-ignore
  ["Expand", "it works across", ({ own }, b) => b.add("Expand", [b.floats([1], []), b.add("Shape", [own])])], // prettier-ignore
  ["Div", "it works across", ({ own }, b) => b.add("Div", [own, b.add("Cast", [b.add("Shape", [own], { start: attribute.int(0), end: attribute.int(1) })], { to: attribute.int(1) })])], // prettier-ignore
  ["Slice", "it works across", ({ own }, b) => b.add("Slice", [own, b.ints([-2]), b.ints([9]), b.ints([0])])], // prettier-ignore
  ["Slice", "it works across", ({ own, kept }, b) => b.add("Slice", [own, b.ints([0]), b.ints([3]), b.ints([0]), b.add("Add", [b.add("Reshape", [b.add("ReduceMax", [kept]), b.ints([1])]), b.ints([1])])])], // prettier-ignore
  ["Gather", "it works across", ({ own, kept }, b) => b.add("Gather", [own, b.add("Sub", [kept, b.ints([1], [])])])], // prettier-ignore
  ["Gather", "it works across", ({ rows, kept }, b) => b.add("Gather", [rows, kept])],
  ["NonZero", "it works across", ({ ownScores }, b) => b.add("NonZero", [ownScores])],
  ["Pad", "it works across", ({ rows }, b) => b.add("Pad", [rows, b.ints([0, 0, 1, 0])])],
  ["Pad", "it works across", (found, b) => b.add("Pad", [found.rows, b.add("Concat", [b.ints([0, 1]), b.add("Sub", [b.ints([9]), b.add("Shape", [found.rows], { end: attribute.int(1) })]), b.ints([0])], { axis: attribute.int(0) })])], // prettier-ignore
])("does not let a row depend on others: %s, %s", async (what, why, build) => {
  const graph = filtered(usual, (found, b) => ({ y: build(found, b) }));
  expect(await refusalsOf(graph)).toContainEqual(
    expect.objectContaining({
      kind: "operator",
      what,
      why: expect.stringMatching(`${why}.*${counted}`),
    }),
  );
});

it("does not name what only says sizes where something is made of them", async () => {
  const graph = filtered(usual, ({ own, ownScores }, b) => {
    const count = b.add("Shape", [ownScores]);
    const wanted = b.add("ReduceMin", [
      b.add("Concat", [b.ints([3]), count], { axis: attribute.int(0) }),
    ]);
    const [best = own] = b.many("TopK", 2, [ownScores, b.add("Reshape", [wanted, b.ints([1])])]);
    return { best };
  });
  expect((await refusalsOf(graph)).map(({ what }) => what)).toEqual(["TopK"]);
});

it("says of how many elements it looks for some, and how many nodes may find rows", async () => {
  const large = graphOf({ x: ["float32", 2 ** 18 + 1] }, (input, b) => ({
    y: b.add("NonZero", [input("x")]),
  }));
  expect(await refusalsOf(large)).toContainEqual(
    expect.objectContaining({ why: "it looks at 262145 elements, and 262144 are compiled" }),
  );
  const many = graphOf({ x: ["float32", 3] }, (input, b) =>
    Object.fromEntries(
      Array.from({ length: 65 }, (_, at) => {
        const moved = b.add("Add", [input("x"), b.floats([at], [])]);
        return [`y${at}`, b.add("NonZero", [moved])];
      }),
    ),
  );
  expect(await refusalsOf(many)).toContainEqual(
    expect.objectContaining({ why: "more than 64 nodes find rows", count: 1 }),
  );
});
