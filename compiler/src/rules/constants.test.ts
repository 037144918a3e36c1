import { describe, expect, it } from "vitest";
import { attribute, Tensor, tensorType } from "../ir/index.js";
import { mergeCommonSubexpressions } from "./common-subexpressions.js";
import { constantSubgraph, workOf } from "./constant-subgraph.js";
import { inlineIf } from "./control-flow.js";
import { foldConstants } from "./fold-constants.js";
import { runRules } from "./run-rules.js";
import { apply, type Builder, graphOf, opsOf } from "./rule-case.test.support.js";

describe("fold-constants", () => {
  it("computes what needs no input", async () => {
    const graph = graphOf({ x: ["float32", 2, 3] }, (x, b) => ({
      y: b.add("MatMul", [
        x("x"),
        b.add("Transpose", [b.weights(4, 3)], { perm: attribute.ints([1, 0]) }),
      ]),
    }));
    expect((await apply(foldConstants, graph)).ops).toEqual(["MatMul"]);
  });

  it("leaves what would make the file larger", async () => {
    const graph = graphOf({ x: ["float32", 100, 100] }, (x, b) => ({
      y: b.add("Add", [x("x"), b.add("Expand", [b.floats([2]), b.ints([100, 100])])]),
    }));
    const { ops, misses } = await apply(foldConstants, graph);
    expect(ops).toEqual(["Expand", "Add"]);
    expect(misses).toEqual([expect.stringContaining("to the file")]);
  });

  it("leaves a weight that is needed as it is, too", async () => {
    const graph = graphOf({ x: ["float32", 20, 20] }, (x, b) => {
      const weight = b.weights(20, 20);
      return {
        y: b.add("MatMul", [
          b.add("MatMul", [x("x"), weight]),
          b.add("Transpose", [weight], { perm: attribute.ints([1, 0]) }),
        ]),
      };
    });
    expect((await apply(foldConstants, graph)).ops).toContain("Transpose");
  });

  it("puts together again what was only taken apart", async () => {
    const graph = graphOf({ x: ["float32", 2, 20] }, (x, b) => {
      const weight = b.weights(20, 20);
      const rows = (from: number) =>
        b.add("Slice", [weight, b.ints([from]), b.ints([from + 10]), b.ints([0])]);
      return {
        y: b.add("MatMul", [
          x("x"),
          b.add("Concat", [rows(10), rows(0)], { axis: attribute.int(0) }),
        ]),
      };
    });
    expect((await apply(foldConstants, graph)).ops).toEqual(["MatMul"]);
  });

  it("does not make a giant to take its sum, nor multiply giants", async () => {
    const graph = graphOf({ x: ["float32"] }, (x, b) => {
      const giant = b.add("Expand", [b.floats([1]), b.ints([100_000, 100_000])]);
      return {
        y: b.add("Add", [x("x"), b.add("ReduceMax", [giant], { keepdims: attribute.int(0) })]),
      };
    });
    await runRules(graph, [foldConstants], {});
    expect(opsOf(graph)).toContain("Expand");
    const lazy = (...dims: number[]) =>
      Tensor.lazy("float32", dims, () => Promise.reject(new Error("must not be read")));
    const product = graphOf({ x: ["float32", 2000, 2000] }, (x, b) => ({
      y: b.add("Add", [
        x("x"),
        b.add("MatMul", [
          b.editor.constant("a", lazy(2000, 2000)),
          b.editor.constant("b", lazy(2000, 2000)),
        ]),
      ]),
    }));
    await runRules(product, [foldConstants], {});
    expect(opsOf(product)).toContain("MatMul");
  });

  it("folds small spectra and windows, and does not sum a giant by its definition", async () => {
    const small = graphOf({ x: ["float32", 8] }, (x, b) => ({
      y: b.add("Mul", [x("x"), b.add("HannWindow", [b.ints([8], [])])]),
      z: b.add("Add", [b.add("DFT", [b.weights(1, 8, 1)]), b.floats([0])]),
    }));
    expect((await apply(foldConstants, small)).ops).toEqual(["Mul", "Identity"]);
    const giant = graphOf({}, (_, b) => {
      const table = Tensor.lazy("float32", [1, 2 ** 14, 2], () => Promise.reject(new Error()));
      return { y: b.add("DFT", [b.editor.constant("table", table)]) };
    });
    await runRules(giant, [foldConstants], {});
    expect(opsOf(giant)).toEqual(["DFT"]);
  });

  it("leaves what a file only declares to be small", async () => {
    const graph = graphOf({ x: ["float32", 4] }, (x, b) => {
      const range = b.add("Range", [b.floats([0]), b.floats([1000]), b.floats([0.5])]);
      const boxes = b.weights(1, 8, 4);
      const found = b.add("NonMaxSuppression", [boxes, b.weights(1, 1, 8), b.ints([8], [1])]);
      b.editor.setType(range, tensorType("float32", [4]));
      b.editor.setType(found, tensorType("int64", [1, 3]));
      return { y: b.add("Add", [x("x"), range]), z: b.add("Neg", [found]) };
    });
    await runRules(graph, [foldConstants], {});
    expect(opsOf(graph)).toEqual(["Range", "Add", "NonMaxSuppression", "Neg"]);
  });

  it("counts what is read, too", () => {
    const graph = graphOf({}, (_, b) => ({ y: b.add("ReduceMax", [b.weights(50, 60)]) }));
    const [node] = graph.order();
    const subgraph = node === undefined ? undefined : constantSubgraph(graph, node);
    expect(subgraph === undefined ? undefined : workOf(graph, subgraph)).toBe(3001);
  });

  it("does not decode what is stored small", async () => {
    const graph = graphOf({ x: ["float32", 2] }, (x, b) => {
      const quantized = b.editor.constant("q", Tensor.of("int8", [2], Int8Array.of(3, -4)));
      return { y: b.add("Add", [x("x"), b.add("DequantizeLinear", [quantized, b.floats([0.5])])]) };
    });
    expect((await apply(foldConstants, graph)).ops).toContain("DequantizeLinear");
  });
});

describe("merge-common-subexpressions", () => {
  it("makes one of equal nodes and constants", async () => {
    const graph = graphOf({ x: ["float32", 3] }, (x, b) => {
      const scaled = () => b.add("Mul", [x("x"), b.floats([2, 3, 4])]);
      return { y: b.add("Add", [scaled(), b.add("Relu", [scaled()])]) };
    });
    await mergeCommonSubexpressions(graph);
    expect(opsOf(graph)).toEqual(["Mul", "Relu", "Add"]);
    expect(graph.main.initializers.size).toBe(1);
  });

  it("tells attributes, outputs and random numbers apart", async () => {
    const graph = graphOf({ x: ["float32", 3, 3] }, (x, b) => {
      const softmax = (axis: number) => b.add("Softmax", [x("x")], { axis: attribute.int(axis) });
      const random = () => b.add("RandomUniformLike", [x("x")]);
      return { y: b.add("Sum", [softmax(0), softmax(1), random(), random()]) };
    });
    await mergeCommonSubexpressions(graph);
    expect(opsOf(graph)).toHaveLength(5);
  });

  it("tells 0 from -0", async () => {
    const graph = graphOf({ x: ["float32", 3] }, (x, b) => {
      const elu = (alpha: number) =>
        b.add("Elu", [x("x")], { alpha: attribute.float(alpha), all: attribute.floats([alpha]) });
      return { y: b.add("Sum", [elu(0), elu(-0), elu(0)]) };
    });
    await mergeCommonSubexpressions(graph);
    expect(opsOf(graph)).toEqual(["Elu", "Elu", "Sum"]);
  });

  it("tells lists of texts apart by where each ends", async () => {
    const graph = graphOf({ x: ["float32", 3] }, (x, b) => {
      const texts = (...value: string[]) =>
        b.add("Neg", [x("x")], { texts: { type: "strings", value } });
      return { y: b.add("Sum", [texts("a,b"), texts("a", "b"), texts("a", "b")]) };
    });
    await mergeCommonSubexpressions(graph);
    expect(opsOf(graph)).toEqual(["Neg", "Neg", "Sum"]);
  });

  it("leaves two outputs that are equal under their own names", async () => {
    const graph = graphOf({ x: ["float32", 3] }, (x, b) => ({
      y: b.add("Relu", [x("x")]),
      z: b.add("Relu", [x("x")]),
    }));
    await mergeCommonSubexpressions(graph);
    expect(opsOf(graph)).toEqual(["Relu", "Relu"]);
  });
});

describe("inline-if", () => {
  const branches = (
    b: Builder,
    condition: ReturnType<Builder["floats"]>,
    captured: ReturnType<Builder["floats"]>,
  ) => {
    const branch = (op: string) => {
      const body = b.editor.addBody(op);
      b.editor.addOutput(b.editor.add1(op, [captured], {}, { body }), body);
      return attribute.graph(body);
    };
    return b.add("If", [condition], { then_branch: branch("Relu"), else_branch: branch("Neg") });
  };

  it("keeps the branch that is always taken", async () => {
    const graph = graphOf({ x: ["float32", 3] }, (x, b) => {
      const never = b.editor.constant("never", Tensor.of("bool", [], Uint8Array.of(0)));
      return { y: b.add("Abs", [branches(b, never, x("x"))]) };
    });
    expect((await apply(inlineIf, graph)).ops).toEqual(["Neg", "Abs"]);
  });

  it("leaves a branch with an input, which none may have", async () => {
    const graph = graphOf({}, (_, b) => {
      const always = b.editor.constant("always", Tensor.of("bool", [], Uint8Array.of(1)));
      const body = b.editor.addBody("then");
      const own = b.editor.addInput("own", tensorType("float32", [3]), body);
      b.editor.addOutput(b.editor.add1("Relu", [own], {}, { body }), body);
      return { y: b.add("If", [always], { then_branch: attribute.graph(body) }) };
    });
    await runRules(graph, [inlineIf], {});
    expect(opsOf(graph)).toContain("If");
  });

  it("leaves a condition that is computed", async () => {
    const graph = graphOf({ x: ["float32", 3], c: ["bool"] }, (x, b) => ({
      y: b.add("Abs", [branches(b, x("c"), x("x"))]),
    }));
    expect((await apply(inlineIf, graph)).ops).toContain("If");
  });
});
