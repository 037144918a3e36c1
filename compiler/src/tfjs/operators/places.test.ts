import { describe, expect, it } from "vitest";
import { onEngine } from "../../rules/rule-case.test.support.js";
import {
  attr,
  expectAlike,
  fed,
  graphOfModel,
  flags,
  floats,
  ints,
  type Node,
  type Numbers,
} from "../tensorflow-model.test.support.js";

interface Given {
  readonly fed?: Readonly<Record<string, Numbers & { readonly free?: readonly number[] }>>;
  readonly stored?: Readonly<Record<string, Numbers>>;
  readonly attr?: NonNullable<Node["attr"]>;
  readonly outputs?: number;
  readonly isDynamic?: boolean;
}

/** A node that reads what is fed, then what is stored, by their order. */
async function check(
  op: string,
  { fed = {}, stored = {}, outputs = 1, ...given }: Given,
): Promise<void> {
  await expectAlike({
    inputs: fed,
    weights: stored,
    nodes: [
      {
        op,
        inputs: [...Object.keys(fed), ...Object.keys(stored)],
        attr: { T: attr.type("DT_FLOAT"), ...given.attr },
      },
    ],
    outputs: Object.fromEntries(
      Array.from({ length: outputs }, (_, at) => [`out${at}`, at === 0 ? "node" : `node:${at}`]),
    ),
    isDynamic: given.isDynamic ?? false,
  });
}

const x = floats([2, 3, 4]);

describe("a strided slice", () => {
  const masks = (given: Readonly<Record<string, number>>) =>
    Object.fromEntries(
      Object.entries(given).map(([name, bits]) => [`${name}_mask`, attr.int(bits)]),
    );
  const cases: readonly (readonly [
    string,
    readonly number[],
    readonly number[],
    readonly number[],
    Readonly<Record<string, number>>,
  ])[] = [
    ["x[1:2, 0:3, 1:4]", [1, 0, 1], [2, 3, 4], [1, 1, 1], {}],
    ["x[:, ::2, ::-1]", [0, 0, 0], [0, 0, 0], [1, 2, -1], { begin: 7, end: 7 }],
    ["x[..., 1:3]", [0, 1], [0, 3], [1, 1], { ellipsis: 1 }],
    ["x[0, ..., 1:3]", [0, 0, 1], [0, 0, 3], [1, 1, 1], { ellipsis: 2, shrink_axis: 1 }],
    ["x[1]", [1], [2], [1], { shrink_axis: 1 }],
    ["x[-1]", [-1], [0], [1], { shrink_axis: 1 }],
    [
      "x[:, newaxis, 1]",
      [0, 0, 1],
      [0, 0, 2],
      [1, 1, 1],
      { begin: 1, end: 1, new_axis: 2, shrink_axis: 4 },
    ],
    ["x[newaxis, ..., newaxis]", [0, 0, 0], [0, 0, 0], [1, 1, 1], { new_axis: 5, ellipsis: 2 }],
    ["x[:, -2:, :-1]", [0, -2, 0], [0, 0, -1], [1, 1, 1], { begin: 5, end: 3 }],
    ["x[:, 2:0:-1]", [0, 2], [0, 0], [1, -1], { begin: 1, end: 1 }],
    ["x[:, :, 9:]", [0, 0, 3], [2, 3, 9], [1, 1, 1], {}],
    ["x[1, 2, 3]", [1, 2, 3], [2, 3, 4], [1, 1, 1], { shrink_axis: 7 }],
  ];
  for (const [said, begin, end, strides, bits] of cases)
    it(said, () =>
      check("StridedSlice", {
        fed: { x },
        stored: { begin: ints(begin), end: ints(end), strides: ints(strides) },
        attr: masks(bits),
      }),
    );

  it("is of a shape, to make another of", () =>
    expectAlike({
      inputs: { x: { ...x, free: [-1, 3, 4] } },
      weights: {
        begin: ints([0]),
        end: ints([1]),
        step: ints([1]),
        rest: { dtype: "int32", dims: [], data: [12] },
      },
      nodes: [
        {
          name: "shape",
          op: "Shape",
          inputs: ["x"],
          attr: { T: attr.type("DT_FLOAT"), out_type: attr.type("DT_INT32") },
        },
        {
          name: "batch",
          op: "StridedSlice",
          inputs: ["shape", "begin", "end", "step"],
          attr: masks({ shrink_axis: 1 }),
        },
        {
          name: "sizes",
          op: "Pack",
          inputs: ["batch", "rest"],
          attr: { N: attr.int(2), axis: attr.int(0) },
        },
        { op: "Reshape", inputs: ["x", "sizes"] },
      ],
    }));
});

describe("what is taken out of a tensor", () => {
  it("a slice", async () => {
    await check("Slice", {
      fed: { x },
      stored: { begin: ints([0, 1, 1]), size: ints([2, 2, -1]) },
    });
    await check("Slice", { fed: { x }, stored: { begin: ints([1, 0, 3]), size: ints([1, 3, 1]) } });
  });

  it("rows, along any axis and in batches", async () => {
    const axis = (of: number) => ({ dtype: "int32", dims: [], data: [of] }) as const;
    await check("GatherV2", { fed: { x }, stored: { rows: ints([1, 0, 1]), axis: axis(0) } });
    await check("GatherV2", {
      fed: { x },
      stored: { rows: ints([2, 0, 1, 1], [2, 2]), axis: axis(1) },
    });
    await check("GatherV2", { fed: { x }, stored: { rows: ints([3]), axis: axis(-1) } });
    await check("GatherV2", {
      fed: { x, rows: ints([2, 0, 1, 1], [2, 2]) },
      stored: { axis: axis(1) },
      attr: { batch_dims: attr.int(1) },
    });
    await check("Gather", { fed: { x, rows: ints([1, 1, 0]) } });
    await check("GatherNd", { fed: { x, places: ints([0, 2, 1, 0, 1, 1], [3, 2]) } });
  });

  it("parts", async () => {
    const axis = { dtype: "int32", dims: [], data: [2] } as const;
    await expectAlike({
      inputs: { x },
      weights: { axis },
      nodes: [{ op: "Split", inputs: ["axis", "x"], attr: { num_split: attr.int(2) } }],
      outputs: { a: "node", b: "node:1" },
    });
    await check("SplitV", {
      fed: { x },
      stored: { sizes: ints([1, 3]), axis },
      attr: { num_split: attr.int(2) },
      outputs: 2,
    });
    await check("SplitV", {
      fed: { x },
      stored: { sizes: ints([1, -1]), axis },
      attr: { num_split: attr.int(2) },
      outputs: 2,
    });
    await check("Unpack", {
      fed: { x },
      attr: { axis: attr.int(1), num: attr.int(3) },
      outputs: 3,
    });
    await check("Unpack", {
      fed: { x },
      attr: { axis: attr.int(-1), num: attr.int(4) },
      outputs: 4,
    });
  });

  it("the other way round", async () => {
    await check("ReverseV2", { fed: { x }, stored: { axes: ints([1]) } });
    await check("ReverseV2", { fed: { x }, stored: { axes: ints([0, -1]) } });
  });
});

describe("what is put into a tensor", () => {
  it("sums at places", async () => {
    await check("ScatterNd", {
      fed: { places: ints([1, 3, 1], [3, 1]), rows: floats([3, 2]) },
      stored: { sizes: ints([5, 2]) },
    });
  });

  it("rows instead of others", async () => {
    await check("TensorScatterUpdate", {
      fed: { x: floats([5, 2]), places: ints([1, 3], [2, 1]), rows: floats([2, 2]) },
    });
  });

  it("what few places are listed for", async () => {
    const rest = floats([], [0.5]);
    await check("SparseToDense", {
      fed: { places: ints([0, 1, 2, 0], [2, 2]) },
      stored: { sizes: ints([3, 4]), numbers: floats([2]), rest },
    });
    await check("SparseToDense", {
      fed: { places: ints([1, 3]) },
      stored: { sizes: ints([5]), numbers: floats([], [3]), rest },
    });
  });
});

describe("sizes", () => {
  it("are what a tensor has", async () => {
    const free = [-1, 3, 4];
    await check("Shape", { fed: { x: { ...x, free } } });
    await check("Size", { fed: { x: { ...x, free } } });
    await check("Rank", { fed: { x } });
  });

  it("are what tensors have, of which TensorFlow.js makes floats and TensorFlow does not", () =>
    expectAlike({
      inputs: { x, y: floats([5]) },
      nodes: [
        { name: "sizes", op: "ShapeN", inputs: ["x", "y"], attr: { N: attr.int(2) } },
        ...["sizes", "sizes:1"].map((input, at) => ({
          name: `size${at}`,
          op: "Cast",
          inputs: [input],
          attr: { DstT: attr.type("DT_INT32") },
        })),
      ],
      outputs: { a: "size0", b: "size1" },
    }));

  it("change", async () => {
    const wide = floats([1, 3, 1, 4]);
    await check("Reshape", { fed: { x }, stored: { sizes: ints([-1, 6]) } });
    await check("Squeeze", { fed: { x: wide }, attr: { squeeze_dims: attr.ints([2]) } });
    await check("Squeeze", { fed: { x: wide }, attr: { squeeze_dims: attr.ints([-2, 0]) } });
    await check("Squeeze", { fed: { x: wide } });
    await check("ExpandDims", {
      fed: { x },
      stored: { axis: { dtype: "int32", dims: [], data: [-1] } },
    });
    await check("ExpandDims", { fed: { x }, stored: { axis: ints([1]) } });
    await check("Tile", { fed: { x }, stored: { times: ints([1, 2, 3]) } });
    await check("BroadcastTo", { fed: { x: floats([3, 1]) }, stored: { sizes: ints([2, 3, 4]) } });
  });

  it("are those of what is made", async () => {
    await check("Fill", { fed: {}, stored: { sizes: ints([2, 3]), value: floats([], [1.5]) } });
    await check("OnesLike", { fed: { x } });
    await check("ZerosLike", { fed: { x: ints([1, 2, 3]) } });
    const number = (value: number) => ({ dtype: "int32", dims: [], data: [value] }) as const;
    await check("Range", {
      stored: { from: number(2), to: number(11), by: number(3) },
      attr: { Tidx: attr.type("DT_INT32") },
    });
  });

  it("are joined", async () => {
    const axis = { dtype: "int32", dims: [], data: [-1] } as const;
    const y = floats([2, 3, 1]);
    await check("ConcatV2", { fed: { x, y }, stored: { axis }, attr: { N: attr.int(2) } });
    await expectAlike({
      inputs: { x, y },
      weights: { axis: ints([2], []) },
      nodes: [{ op: "Concat", inputs: ["axis", "x", "y"], attr: { N: attr.int(2) } }],
    });
    await check("Pack", { fed: { x, y: x }, attr: { N: attr.int(2), axis: attr.int(-1) } });
    await check("Pack", { fed: { x, y: x }, attr: { N: attr.int(2), axis: attr.int(1) } });
  });

  it("and types", async () => {
    const to = (type: string) => ({ DstT: attr.type(type) });
    const odd = floats([6], [-1.5, -0.5, 0, 0.5, 1.5, 300.7]);
    await check("Cast", { fed: { x: odd }, attr: to("DT_INT32") });
    await check("Cast", { fed: { x: odd }, attr: to("DT_BOOL") });
    await check("Cast", { fed: { x: flags([1, 0, 1]) }, attr: to("DT_FLOAT") });
    await check("Cast", { fed: { x: ints([-2, 0, 5]) }, attr: to("DT_FLOAT") });
    await check("Cast", { fed: { x: ints([-2, 0, 5]) }, attr: to("DT_BOOL") });
    await check("Cast", { fed: { x: ints([1, 0, 5]) }, attr: to("DT_INT64") });
  });
});

describe("what a condition chooses", () => {
  it("element by element, and row by row", async () => {
    const condition = flags([1, 0, 0, 1, 1, 0], [2, 3]);
    await check("SelectV2", { fed: { condition, a: floats([2, 3]), b: floats([3]) } });
    await check("Select", {
      fed: { condition, a: floats([2, 3]), b: floats([2, 3], [1, 2, 3, 4, 5, 6]) },
    });
  });

  it("rows of a tensor, which TensorFlow.js refuses", async () => {
    const condition = flags([1, 0]);
    const [a, b] = [floats([2, 3]), floats([2, 3], [1, 2, 3, 4, 5, 6])];
    const graph = await graphOfModel({
      inputs: { condition, a, b },
      nodes: [{ op: "Select", inputs: ["condition", "a", "b"] }],
    });
    const { node } = await onEngine(graph, fed({ condition, a, b }));
    expect([...(node?.data ?? [])]).toEqual([...a.data.slice(0, 3), 4, 5, 6]);
  });

  it("as places", () =>
    check("Where", { fed: { condition: flags([1, 0, 0, 1, 1, 0], [2, 3]) }, isDynamic: true }));

  it("as the largest, and as rows of one", async () => {
    const scores = floats([2, 5], [3, 1, 2, 5, 4, 0.5, 0.1, 0.9, 0.3, 0.7]);
    const k = { dtype: "int32", dims: [], data: [3] } as const;
    await check("TopKV2", {
      fed: { scores },
      stored: { k },
      attr: { sorted: attr.flag(true) },
      outputs: 2,
    });
    const number = (value: number) => floats([], [value]);
    await check("OneHot", {
      fed: { classes: ints([0, 3, 1]) },
      stored: { depth: ints([4], []), on: number(2), off: number(-1) },
      attr: { axis: attr.int(-1), dtype: attr.type("DT_FLOAT") },
    });
    await check("OneHot", {
      fed: { classes: ints([0, 3, 1]) },
      stored: { depth: ints([4], []), on: ints([1], []), off: ints([0], []) },
      attr: { axis: attr.int(-1), T: attr.type("DT_INT32") },
    });
  });

  it("as boxes that others do not cover", async () => {
    const boxes = floats([4, 4], [0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, 2, 1, 3, 0.05, 2, 1, 3]);
    const scores = floats([4], [0.6, 0.9, 0.3, 0.8]);
    const most = { dtype: "int32", dims: [], data: [3] } as const;
    const stored = { most, overlap: floats([], [0.5]), least: floats([], [0.2]) };
    await check("NonMaxSuppressionV3", { fed: { boxes, scores }, stored, isDynamic: true });
    await check("NonMaxSuppressionV5", {
      fed: { boxes, scores },
      stored: { ...stored, softness: floats([], [0]) },
      outputs: 2,
      isDynamic: true,
    });
  });
});
