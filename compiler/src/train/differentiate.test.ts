import type { PareError } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { attribute, edit, printGraph, type ValueId, verifyGraph } from "../ir/index.js";
import { evaluateGraph } from "../ops/index.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { differentiate } from "./differentiate.js";

const total = { keepdims: attribute.int(0) };

function failure(run: () => unknown): PareError {
  try {
    run();
  } catch (error) {
    return error as PareError;
  }
  throw new Error("it did not fail");
}

/** loss = Σ relu(x · w) + Σ other, and a value that it does not depend on. */
function layer() {
  const graph = graphOf(
    { x: ["float32", 2, 3], w: ["float32", 3, 2], b: ["float32", 3], unused: ["float32", 4] },
    (input, { add }) => {
      const hidden = add("Relu", [add("MatMul", [input("x"), input("w")])]);
      const sums = [hidden, input("b")].map((value) => add("ReduceSum", [value], total));
      return { loss: add("Add", sums), rest: add("Neg", [input("unused")]) };
    },
  );
  const named = (name: string): ValueId => {
    const found = [...graph.allValues()].find((value) => value.name === name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found.id;
  };
  return { graph, named };
}

describe("differentiate", () => {
  it("adds gradients that run beside what the graph computed before", async () => {
    const { graph, named } = layer();
    const wanted = ["x", "w", "b", "unused"].map(named);
    const gradients = differentiate(graph, named("loss"), wanted, { engine: "cpu" });
    verifyGraph(graph);
    expect([...gradients.keys()]).toEqual(wanted);
    edit(graph, "outputs", (editor) => gradients.forEach((id) => editor.addOutput(id)), {
      interface: true,
    });
    const float = (dims: readonly number[], data: readonly number[]) => ({
      type: "float32" as const,
      dims,
      data: Float32Array.from(data),
    });
    const results = await evaluateGraph(graph, {
      x: float([2, 3], [1, 2, 3, -1, 1, 0]),
      w: float([3, 2], [1, -1, 1, 1, 1, -1]),
      b: float([3], [1, 2, 3]),
      unused: float([4], [1, 1, 1, 1]),
    });
    // x · w = [[6, −2], [0, 2]]: of each row one column passes the Relu.
    const data = (name: string) => [...(results[name]?.data ?? [])];
    expect(data("loss")).toEqual([14]);
    expect(data("w.gradient")).toEqual([1, -1, 2, 1, 3, 0]);
    expect(data("x.gradient")).toEqual([1, 1, 1, -1, 1, -1]);
    expect(data("b.gradient")).toEqual([1, 1, 1]);
    expect(data("unused.gradient")).toEqual([0, 0, 0, 0]);
  });

  it("writes nothing for what no wanted value needs", () => {
    const { graph, named } = layer();
    const before = [...graph.allNodes()].length;
    differentiate(graph, named("loss"), [named("b")], { engine: "cpu" });
    const added = [...graph.allNodes()].slice(before).map(({ op }) => op);
    expect(added).not.toContain("MatMul");
    expect(added).not.toContain("Relu");
  });

  it("gives each its own value, though their gradients are one", () => {
    const graph = graphOf({ a: ["float32", 2], b: ["float32", 2] }, (input, { add }) => ({
      loss: add("ReduceSum", [add("Add", [input("a"), input("b")])], total),
    }));
    const [loss] = graph.main.outputs;
    if (loss === undefined) throw new Error("no loss");
    const gradients = differentiate(graph, loss, [...graph.main.inputs, loss], { engine: "cpu" });
    expect(new Set(gradients.values()).size).toBe(3);
    for (const id of gradients.values()) expect(graph.producer(id)).toBeDefined();
  });

  it("names every operator on the way that has no rule, and changes nothing", async () => {
    const graph = graphOf({ x: ["float32", 2, 3] }, (input, { add }) => {
      const first = add("Frobnicate", [input("x")]);
      const second = add("Frobnicate", [first]);
      const third = add("If", [second]);
      // On no way from x to the loss.
      const other = add("Elsewhere", [input("x")]);
      return { loss: add("ReduceSum", [third], total), other };
    });
    const before = await printGraph(graph);
    const [x, loss] = [graph.main.inputs[0], graph.main.outputs[0]];
    if (x === undefined || loss === undefined) throw new Error("no loss");
    const changes = graph.changes;
    const error = failure(() => differentiate(graph, loss, [x], { engine: "cpu" }));
    expect(error.code).toBe("UNSUPPORTED_OP");
    expect(error.message).toMatch(
      /^No gradient is known of Frobnicate \(Frobnicate_\d+, Frobnicate_\d+\), If \(If_\d+\)\.$/,
    );
    expect(error.hint).toContain("come after");
    expect(graph.changes).toBe(changes);
    expect(await printGraph(graph)).toBe(before);
  });

  it("asks for static shapes, for floats and for opset 21", () => {
    const free = graphOf({ x: ["float32", "N", 3], at: ["int64", 2] }, (input, { add }) => ({
      loss: add("ReduceSum", [add("Relu", [input("x")])], total),
    }));
    const [x, at] = free.main.inputs;
    const [loss] = free.main.outputs;
    if (x === undefined || at === undefined || loss === undefined) throw new Error("no loss");
    const shape = failure(() => differentiate(free, loss, [x], { engine: "cpu" }));
    expect(shape.code).toBe("MODEL_SHAPE");
    expect(shape.message).toBe("The shape of x is [N, 3]: gradients need numbers.");
    const dtype = failure(() => differentiate(free, loss, [at], { engine: "cpu" }));
    expect(dtype.message).toBe("at is int64: only floats have gradients.");
    const old = graphOf(
      { x: ["float32", 3] },
      (input, { add }) => ({ loss: add("Relu", [input("x")]) }),
      13,
    );
    const [oldX, oldLoss] = [old.main.inputs[0], old.main.outputs[0]];
    if (oldX === undefined || oldLoss === undefined) throw new Error("no loss");
    const version = failure(() => differentiate(old, oldLoss, [oldX], { engine: "cpu" }));
    expect(version.code).toBe("MODEL_VERSION");
  });
});
