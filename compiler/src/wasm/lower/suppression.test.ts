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

const size = (min: number, max: number) => fc.integer({ min, max });

interface Problem {
  readonly batches: number;
  readonly classes: number;
  readonly boxes: number;
  /** undefined: the input is left out. */
  readonly limit: number | undefined;
  readonly share: number | undefined;
  readonly threshold: number | undefined;
  readonly centred: boolean;
  /** Of how many values coordinates and scores are: of few, many are equal. */
  readonly steps: number;
}

const problem: fc.Arbitrary<Problem> = fc.record({
  batches: size(1, 2),
  classes: size(1, 3),
  boxes: size(1, 14),
  limit: fc.constantFrom(undefined, 0, 1, 3, 1000, -2),
  share: fc.constantFrom(undefined, 0, 0.25, 0.5, 1),
  threshold: fc.constantFrom(undefined, -1, 0, 0.4, 2),
  centred: fc.boolean(),
  steps: fc.constantFrom(3, 8, 10, 1000),
});

/** A graph of boxes and scores that are its inputs, in steps; what `build` makes of the rows are its outputs. */
function detector(
  { batches, classes, boxes, steps, ...p }: Problem,
  build: (rows: ValueId, b: Builder, tables: Tables) => Readonly<Record<string, ValueId>>,
): Graph {
  return graphOf(
    { boxes: ["float32", batches, boxes, 4], scores: ["float32", batches, classes, boxes] },
    (input, b) => {
      const stepped = (id: ValueId): ValueId =>
        b.add("Div", [
          b.add("Round", [b.add("Mul", [id, b.floats([steps], [])])]),
          b.floats([steps], []),
        ]);
      const tables = { boxes: stepped(input("boxes")), scores: stepped(input("scores")) };
      const float = (value: number | undefined) => (value === undefined ? null : b.floats([value]));
      const given = [
        tables.boxes,
        tables.scores,
        p.limit === undefined ? null : b.ints([p.limit]),
        float(p.share),
        float(p.threshold),
      ];
      while (given.at(-1) === null) given.pop();
      const attributes = { center_point_box: attribute.int(p.centred ? 1 : 0) };
      return build(b.add("NonMaxSuppression", given, attributes), b, tables);
    },
  );
}

const usual: Problem = {
  batches: 1,
  classes: 2,
  boxes: 12,
  limit: 5,
  share: 0.3,
  threshold: 0.1,
  centred: false,
  steps: 8,
};

it("keeps the boxes that onnxruntime keeps, in its order", async () => {
  await fc.assert(
    fc.asyncProperty(problem, (one) => expectAgreement(detector(one, (rows) => ({ rows })))),
    { numRuns: cases(120) },
  );
});

it.each([undefined, -Infinity, 0])(
  "keeps boxes of a score of −∞ by a threshold of %s as onnxruntime does",
  async (threshold) => {
    const build = (input: (name: string) => ValueId, b: Builder) => {
      const lowest = Array.from({ length: 12 }, (_, at) => (at % 3 === 0 ? -Infinity : 0));
      const scores = b.add("Add", [input("scores"), b.floats(lowest)]);
      const given = [input("boxes"), scores, b.ints([12]), b.floats([0.3])];
      if (threshold !== undefined) given.push(b.floats([threshold]));
      return { rows: b.add("NonMaxSuppression", given) };
    };
    await expectAgreement(
      graphOf({ boxes: ["float32", 1, 12, 4], scores: ["float32", 1, 2, 12] }, build),
    );
  },
);

/** Some rows, and of the same model none and as many as there may be. */
const often = [usual, { ...usual, threshold: 2 }, { ...usual, limit: 1, threshold: -1 }];

it.each<[string, (rows: ValueId, b: Builder, tables: Tables) => ValueId]>([
  ["columns", (rows, b) => b.add("Gather", [rows, b.ints([2], [])], { axis: attribute.int(1) })],
  ["a slice, cast", (rows, b) => b.add("Cast", [b.add("Slice", [rows, b.ints([1]), b.ints([3]), b.ints([1])])], { to: attribute.int(1) })], // prettier-ignore
  ["boxes and scores side by side", sideBySide],
  ["boxes and scores, an axis before them", (rows, b, tables) => b.add("Unsqueeze", [sideBySide(rows, b, tables), b.ints([0])])], // prettier-ignore
  ["scores by whole rows", (rows, b, { scores }) => b.add("GatherND", [scores, rows])],
  ["boxes, other corners", (rows, b, tables) => b.add("MatMul", [found(rows, b, tables), b.weights(4, 6)])], // prettier-ignore
  ["areas", (rows, b, tables) => b.add("ReduceProd", [halves(rows, b, tables), b.ints([2])])],
  ["the widest sides", (rows, b, tables) => b.add("ArgMax", [found(rows, b, tables)], { axis: attribute.int(1) })], // prettier-ignore
  ["shares", (rows, b, tables) => b.add("Softmax", [found(rows, b, tables)])],
  ["by what they are: no row divides by 0", (rows, b) => b.add("Div", [b.ints([12]), b.add("Add", [b.add("Gather", [rows, b.ints([1])], { axis: attribute.int(1) }), b.ints([1])])])], // prettier-ignore
  ["which are of a class", (rows, b) => b.add("Equal", [b.add("Gather", [rows, b.ints([1], [])], { axis: attribute.int(1) }), b.ints([1], [])])], // prettier-ignore
])("computes of rows as many as there are: %s", async (_, build) => {
  for (const one of often)
    await expectAgreement(
      detector(one, (rows, b, tables) => ({ y: build(rows, b, tables), rows })),
    );
});

interface Tables {
  readonly boxes: ValueId;
  readonly scores: ValueId;
}

/** The boxes that were kept. */
function found(rows: ValueId, b: Builder, { boxes }: Tables): ValueId {
  const places = b.add("Gather", [rows, b.ints([2], [])], { axis: attribute.int(1) });
  return b.add("Gather", [b.add("Squeeze", [boxes, b.ints([0])]), places]);
}

function halves(rows: ValueId, b: Builder, tables: Tables): ValueId {
  return b.add("Reshape", [found(rows, b, tables), b.ints([-1, 2, 2])]);
}

function sideBySide(rows: ValueId, b: Builder, tables: Tables): ValueId {
  const scores = b.add("Unsqueeze", [b.add("GatherND", [tables.scores, rows]), b.ints([1])]);
  return b.add("Concat", [found(rows, b, tables), scores], { axis: attribute.int(1) });
}

const counted = "rows of which only a run knows how many there are";

it.each<[string, string, (rows: ValueId, b: Builder, tables: Tables) => ValueId]>([
  ["Shape", "it works across", (rows, b) => b.add("Shape", [rows])],
  ["ReduceMax", "it works across", (rows, b, t) => b.add("ReduceMax", [found(rows, b, t), b.ints([0])])], // prettier-ignore
  ["ReduceSum", "it works across", (rows, b, t) => b.add("ReduceSum", [found(rows, b, t)])],
  ["TopK", "it works across", (rows, b, t) => b.many("TopK", 2, [found(rows, b, t), b.ints([1])], { axis: attribute.int(0) })[0] ?? rows], // prettier-ignore
  ["Softmax", "it works across", (rows, b, t) => b.add("Softmax", [found(rows, b, t)], { axis: attribute.int(0) })], // prettier-ignore
  ["MatMul", "it works across", (rows, b, t) => b.add("MatMul", [b.add("Transpose", [found(rows, b, t)], { perm: attribute.ints([1, 0]) }), found(rows, b, t)])], // prettier-ignore
  ["Gather", "it works across", (rows, b) => b.add("Gather", [rows, b.ints([0])])],
  ["Gather", "it works across", (rows, b, t) => b.add("Gather", [found(rows, b, t), b.add("Gather", [rows, b.ints([1], [])], { axis: attribute.int(1) })])], // prettier-ignore
  ["Slice", "it works across", (rows, b) => b.add("Slice", [rows, b.ints([1]), b.ints([3]), b.ints([0])])], // prettier-ignore
  ["Slice", "it works across", (rows, b) => b.add("Slice", [rows, b.ints([0]), b.ints([9]), b.ints([0]), b.ints([2])])], // prettier-ignore
  ["Slice", "it works across", (rows, b) => b.add("Slice", [rows, b.ints([-1]), b.ints([-(2 ** 40)]), b.ints([0]), b.ints([-1])])], // prettier-ignore
  ["Reshape", "the model gives", (rows, b) => b.add("Reshape", [rows, b.ints([-1])])],
  ["Tile", "it works across", (rows, b) => b.add("Tile", [rows, b.ints([2, 1])])],
  ["Reshape", "it works across", (rows, b) => b.add("Reshape", [rows, b.ints([3, -1])])],
  ["Concat", "it works across", (rows, b) => b.add("Concat", [rows, rows], { axis: attribute.int(0) })], // prettier-ignore
  ["Concat", "it works across", (rows, b) => b.add("Concat", [rows, b.ints(Array.from({ length: 3 }, () => 0), [1, 3])], { axis: attribute.int(0) })], // prettier-ignore
  ["Add", "it works across", (rows, b) => b.add("Add", [rows, b.ints([...Array(30).keys()], [10, 3])])], // prettier-ignore
  ["Transpose", "the model gives", (rows, b) => b.add("Transpose", [rows])],
])("does not let a row depend on another: %s, %s", async (what, why, build) => {
  const graph = detector(usual, (rows, b, tables) => ({ y: build(rows, b, tables) }));
  expect(await refusalsOf(graph)).toContainEqual(
    expect.objectContaining({
      kind: "operator",
      what,
      why: expect.stringMatching(`${why}.*${counted}`),
    }),
  );
});

it("knows whose rows they are", async () => {
  const graph = detector(usual, (rows, b, tables) => {
    const other = b.add("NonMaxSuppression", [tables.boxes, tables.scores, b.ints([5])]);
    return { y: b.add("Sub", [rows, other]) };
  });
  expect(await refusalsOf(graph)).toEqual([
    expect.objectContaining({ what: "Sub", why: `it works across ${counted}` }),
  ]);
});

it("counts two kinds of rows", async () => {
  await expectAgreement(
    detector(usual, (rows, b, tables) => {
      const other = b.add("NonMaxSuppression", [tables.boxes, tables.scores, b.ints([2])]);
      return { y: sideBySide(rows, b, tables), z: sideBySide(other, b, tables) };
    }),
  );
});

it("keeps as many as a run says", async () => {
  for (const [factor, add] of [
    [5, 0],
    [9, 9],
    [-3, -1],
    [1, 0],
  ])
    // prettier-ignore
    await expectAgreement(
      graphOf(
        { boxes: ["float32", 1, 9, 4], scores: ["float32", 1, 2, 9], most: ["float32", 1] },
        (input, b) => {
          const given = b.add("Add", [b.add("Mul", [b.add("Abs", [input("most")]), b.floats([factor ?? 0])]), b.floats([add ?? 0])]); // prettier-ignore
          const most = b.add("Max", [b.add("Cast", [given], { to: attribute.int(7) }), b.ints([0])]);
          return { rows: b.add("NonMaxSuppression", [input("boxes"), input("scores"), most, b.floats([0.3])]) }; // prettier-ignore
        },
      ),
    );
});

it("says why boxes are not counted", async () => {
  const many = graphOf(
    { boxes: ["float32", 1, 9000, 4], scores: ["float32", 1, 90, 9000] },
    (input, b) => ({
      rows: b.add("NonMaxSuppression", [input("boxes"), input("scores"), b.ints([2 ** 40])]),
    }),
  );
  expect(await refusalsOf(many)).toEqual([
    expect.objectContaining({
      why: "it may keep 810000 boxes, and 262144 are compiled: give it a smaller, constant max_output_boxes_per_class",
    }),
  ]);
});
