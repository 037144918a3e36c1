import { elementCount, type Tensor as Dense } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import {
  attribute,
  type Body,
  type Graph,
  Tensor,
  tensorType,
  typeText,
  type ValueId,
} from "../ir/index.js";
import { evaluateGraph } from "../ops/index.js";
import { type Builder, graphOf, opsOf } from "../rules/rule-case.test.support.js";
import { bindShapes } from "./bind-shapes.js";
import { simplifyGraph } from "./simplify.js";

async function bind(graph: Graph, options: unknown): Promise<Graph> {
  await bindShapes.create(bindShapes.parse(options)).run(graph, {});
  return graph;
}

function typesOf(graph: Graph): readonly string[] {
  return [...graph.main.inputs, ...graph.main.outputs].map((id) => typeText(graph.value(id).type));
}

const attention = () =>
  graphOf(
    { ids: ["float32", "batch", "sequence"], mask: ["float32", "batch", "sequence"] },
    (x, b) => ({ y: b.add("Concat", [x("ids"), x("mask")], { axis: attribute.int(1) }) }),
  );

describe("bind-shapes", () => {
  it("puts a size wherever its symbol stands", async () => {
    const graph = await bind(attention(), { dims: { sequence: 128 } });
    expect(typesOf(graph)).toEqual([
      "float32[batch, 128]",
      "float32[batch, 128]",
      "float32[batch, 256]",
    ]);
  });

  it("takes one input's shape, and binds its symbols for the others", async () => {
    const graph = await bind(attention(), { shapes: { ids: [2, 16] } });
    expect(typesOf(graph)).toEqual(["float32[2, 16]", "float32[2, 16]", "float32[2, 32]"]);
  });

  it("overrules a size that the file declares, and all that follows from it", async () => {
    const graph = graphOf({ x: ["float32", 10, 3, 32, 32] }, (x, b) => ({
      y: b.add("MaxPool", [x("x")], {
        kernel_shape: attribute.ints([2, 2]),
        strides: attribute.ints([2, 2]),
      }),
    }));
    await bind(graph, { shapes: { x: [1, 3, 640, "W"] } });
    expect(typesOf(graph)).toEqual(["float32[1, 3, 640, W]", "float32[1, 3, 320, floordiv(W, 2)]"]);
  });

  it("overrules it in bodies too, which are given what follows from it", async () => {
    const graph = graphOf({ x: ["float32", 10, 4], s: ["float32", 4] }, (x, b) => {
      const { editor } = b;
      const body = editor.addBody("body");
      const [state, row] = ["state", "row"].map((name) =>
        editor.addInput(name, tensorType("float32", [4]), body),
      );
      if (state === undefined || row === undefined) throw new Error("no inputs");
      const sum = editor.add1("Add", [state, row], {}, { body });
      const size = editor.add1("Shape", [sum], {}, { body });
      for (const id of [sum, size]) editor.addOutput(id, body);
      const [last, sizes] = b.many("Scan", 2, [x("s"), x("x")], {
        body: attribute.graph(body),
        num_scan_inputs: attribute.int(1),
      });
      if (last === undefined || sizes === undefined) throw new Error("no outputs");
      return { last: b.add("Neg", [last]), sizes: b.add("Neg", [sizes]) };
    });
    await bind(graph, { shapes: { x: [3, 6], s: [6] } });
    const body = [...graph.allBodies()].find(({ owner }) => owner !== null);
    expect(body?.inputs.map((id) => typeText(graph.value(id).type))).toEqual([
      "float32[6]",
      "float32[6]",
    ]);
    await simplifyGraph(graph, {});
    const ones = (...dims: readonly number[]): Dense => ({
      type: "float32",
      dims,
      data: new Float32Array(elementCount(dims)).fill(1),
    });
    const { sizes } = await evaluateGraph(graph, { x: ones(3, 6), s: ones(6) });
    expect(sizes?.data).toEqual(BigInt64Array.of(-6n, -6n, -6n));
  });

  it("refuses two sizes of one dim", async () => {
    const two = { dims: { sequence: 3 }, shapes: { ids: [1, 4] } };
    await expect(bind(attention(), two)).rejects.toMatchObject({
      code: "ARGUMENT",
      message: expect.stringMatching(/"sequence" is to be 3, and 4 in the shape of "ids"/),
    });
    const same = { dims: { sequence: 4 }, shapes: { ids: [1, 4] } };
    expect(typesOf(await bind(attention(), same))[0]).toBe("float32[1, 4]");
  });

  it("fills an input that is made a constant where its sizes are known, and asks for them else", async () => {
    const masked = () =>
      graphOf({ x: ["float32", "N", "M"], mask: ["float32", "N", "M"] }, (x, b) => ({
        y: b.add("ReduceSum", [b.add("Mul", [x("x"), x("mask")])]),
      }));
    await expect(bind(masked(), { constants: { mask: 1 } })).rejects.toMatchObject({
      code: "ARGUMENT",
      message: expect.stringMatching(/"mask" is of shape \[N, M\], and "N" is a dim of "x" too/),
    });
    const graph = await bind(masked(), { constants: { mask: 2 }, shapes: { x: [2, 3] } });
    const x: Dense = { type: "float32", dims: [2, 3], data: new Float32Array(6).fill(1) };
    expect((await evaluateGraph(graph, { x }))["y"]?.data).toEqual(Float32Array.of(12));
    const alone = graphOf({ x: ["float32", 3], s: ["float32", "A", "B"] }, (x, b) => ({
      y: b.add("ReduceSum", [x("s")]),
      z: b.add("Neg", [x("x")]),
    }));
    await expect(bind(alone, { constants: { s: 1 } })).rejects.toMatchObject({ code: "ARGUMENT" });
  });

  it("leaves an input alone that is called as what every object has", async () => {
    const graph = graphOf(
      { constructor: ["float32", "N"] as const, x: ["float32", "M"] },
      (x, b) => ({
        y: b.add("Neg", [x("constructor")]),
        z: b.add("Neg", [x("x")]),
      }),
    );
    await bind(graph, { shapes: { x: [3] } });
    expect(typesOf(graph)).toEqual(["float32[N]", "float32[3]", "float32[N]", "float32[3]"]);
  });

  it("makes an input a constant, so that what depends on it is decided", async () => {
    const graph = graphOf({ x: ["float32", 3], sr: ["int64"] }, (x, b) => {
      const branch = (op: string) => {
        const body = b.editor.addBody(op);
        b.editor.addOutput(b.editor.add1(op, [x("x")], {}, { body }), body);
        return attribute.graph(body);
      };
      const isFast = b.add("Equal", [x("sr"), b.ints([16000], [])]);
      return {
        y: b.add("If", [isFast], { then_branch: branch("Relu"), else_branch: branch("Neg") }),
      };
    });
    await bind(graph, { constants: { sr: 16000 } });
    expect(graph.main.inputs.map((id) => graph.value(id).name)).toEqual(["x"]);
    await simplifyGraph(graph, {});
    expect(opsOf(graph)).toEqual(["Relu"]);
  });

  /** By a rate, one branch or another, each with a branch by a size in it; only the other branch has weights of five rows. */
  const branched = (): Graph =>
    graphOf({ x: ["float32", 1, "size"], rate: ["int64"] }, (x, b) => {
      const { editor } = b;
      const branch = (build: (add: Builder["add"]) => ValueId): Body => {
        const body = editor.addBody("branch");
        const add: Builder["add"] = (op, inputs, attributes = {}) =>
          editor.add1(op, inputs, attributes, { body });
        editor.addOutput(build(add), body);
        return body;
      };
      const either = (add: Builder["add"], condition: ValueId, then: Body, otherwise: Body) =>
        add("If", [condition], {
          then_branch: attribute.graph(then),
          else_branch: attribute.graph(otherwise),
        });
      const inner = (rows: number): Body =>
        branch((add) => {
          const product = add("MatMul", [x("x"), b.weights(rows, 2)]);
          const size = add("Gather", [add("Shape", [x("x")]), b.ints([1], [])]);
          const isWide = add("Greater", [size, b.ints([3], [])]);
          const [relu, neg] = ["Relu", "Neg"].map((op) => branch((own) => own(op, [product])));
          if (relu === undefined || neg === undefined) throw new Error("no branches");
          return either(add, isWide, relu, neg);
        });
      const isFast = b.add("Equal", [x("rate"), b.ints([16_000], [])]);
      return { y: either(b.add, isFast, inner(4), inner(5)) };
    });

  it("takes out branches that sizes and values rule out, in branches too", async () => {
    const options = { dims: { size: 4 }, constants: { rate: 16_000 } };
    expect(opsOf(await bind(branched(), options)).filter((op) => op !== "Identity")).toEqual([
      "MatMul",
      "Relu",
    ]);
    const half = await bind(branched(), { constants: { rate: 16_000 } });
    expect(opsOf(half).filter((op) => op === "If")).toHaveLength(1);
    const other = await bind(branched(), { dims: { size: 4 } });
    expect(opsOf(other)).toContain("If");
  });

  it.each([
    [{ shapes: { nothing: [1] } }, "ARGUMENT", /no input "nothing"/],
    [{ dims: { nothing: 1 } }, "ARGUMENT", /No input has a dim "nothing"/],
    [{ shapes: { ids: [1] } }, "ARGUMENT", /has 2 dims, but 1/],
    [
      { constants: { ids: [1, 2, 3] }, shapes: { ids: [1, 4] } },
      "ARGUMENT",
      /3 values do not fill|has 2 dims/,
    ],
    [{ shapes: { ids: [1, -4] } }, "RECIPE", /shapes\.ids\[1\] is -4/],
    [{ dims: { batch: 1.5 } }, "RECIPE", /dims\.batch is 1\.5/],
    [{ constants: { ids: "16k" } }, "RECIPE", /constants\.ids is "16k"/],
    [{ shape: {} }, "RECIPE", /bind-shapes\.shape is not an option/],
  ])("refuses %j", async (options, code, message) => {
    await expect(bind(attention(), options)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ["uint8", 300],
    ["uint32", -1],
    ["uint64", -1],
    ["int32", 5e9],
    ["int64", 2 ** 53],
    ["int4", 8],
    ["int64", 1.5],
    ["float32", 1e39],
    ["float16", 70_000],
    ["float8e4m3fn", 1e6],
    ["bool", 2],
  ] as const)("refuses a constant that %s cannot hold: %f", async (dtype, value) => {
    const graph = graphOf({ x: [dtype] }, (x, b) => ({ y: b.add("Identity", [x("x")]) }));
    await expect(bind(graph, { constants: { x: value } })).rejects.toMatchObject({
      code: "ARGUMENT",
      message: `Input "x" is ${dtype}, which cannot hold ${value}.`,
    });
  });

  it.each([
    ["uint8", 255],
    ["int32", -(2 ** 31)],
    ["int64", 2 ** 53 - 1],
    ["uint64", 2 ** 53 - 1],
    ["int4", -8],
    ["float16", 0.1],
    ["bool", true],
  ] as const)("takes a constant that %s can hold: %s", async (dtype, value) => {
    const graph = graphOf({ x: [dtype] }, (x, b) => ({ y: b.add("Identity", [x("x")]) }));
    await bind(graph, { constants: { x: value } });
    expect(graph.main.inputs).toEqual([]);
  });

  it.each<readonly [string, string, (b: Builder, x: ValueId) => ValueId]>([
    ["sums of other sizes", "Add", (b, x) => b.add("Add", [x, b.floats(Array.from({ length: 16 }, () => 1), [16])])], // prettier-ignore
    ["products of other sizes", "MatMul", (b, x) => b.add("MatMul", [x, b.weights(16, 4)])],
  ])("refuses sizes with which the model has %s, by the node", async (_, op, build) => {
    const graph = (): Graph => graphOf({ x: ["float32", "N", "W"] }, (x, b) => ({ y: build(b, x("x")) })); // prettier-ignore
    await expect(bind(graph(), { shapes: { x: [2, 17] } })).rejects.toMatchObject({
      code: "MODEL_SHAPE",
      message: expect.stringContaining(`${op} cannot be computed`),
    });
    expect(typesOf(await bind(graph(), { shapes: { x: [2, 16] } }))[0]).toBe("float32[2, 16]");
  });

  it("knows sizes by constants that are nodes still", async () => {
    const build = (): Graph =>
      graphOf({ x: ["float32", 1, 2, "W"] }, (x, b) => {
        const half = b.add("MaxPool", [x("x")], { kernel_shape: attribute.ints([2]), strides: attribute.ints([2]) }); // prettier-ignore
        const scales = b.add("Constant", [], { value: attribute.tensor(Tensor.float32([3], Float32Array.of(1, 1, 2))) }); // prettier-ignore
        const whole = b.add("Resize", [half, null, scales]);
        return { y: b.add("Concat", [x("x"), whole], { axis: attribute.int(1) }) };
      });
    await expect(bind(build(), { dims: { W: 7 } })).rejects.toMatchObject({
      code: "MODEL_SHAPE",
      message: expect.stringContaining("Concat cannot be computed"),
    });
    expect(typesOf(await bind(build(), { dims: { W: 8 } }))[0]).toBe("float32[1, 2, 8]");
  });

  it("says nothing of what did not fit before", async () => {
    const graph = graphOf({ x: ["float32", "N", 3], z: ["float32", 2, 5] }, (x, b) => ({
      y: b.add("Add", [x("z"), b.floats([1, 2, 3], [3])]),
      n: b.add("Neg", [x("x")]),
    }));
    expect(typesOf(await bind(graph, { dims: { N: 4 } }))[0]).toBe("float32[4, 3]");
  });
});
