import { describe, expect, it } from "vitest";
import { attribute, type Graph, Tensor, type ValueId } from "../../ir/index.js";
import { present } from "../../rules/loop-case.test.support.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { aot } from "../../targets/aot.js";
import { supportOf } from "../../targets/support.js";
import { noise } from "../../wasm/run-model.test.support.js";
import {
  byEngine,
  byModule,
  difference,
  floats,
} from "../classical/classical-case.test.support.js";

type Branch = (add: (op: string, inputs: readonly ValueId[]) => ValueId) => readonly ValueId[];

/** An If; what its branches read of the graph they capture. */
function either(b: Builder, condition: ValueId, yes: Branch, no: Branch, outputs = 1) {
  const bodies = [yes, no].map((build, at) => {
    const body = b.editor.addBody(at === 0 ? "yes" : "no");
    const given = build((op, inputs) => b.editor.add1(op, inputs, {}, { body }));
    for (const id of given) b.editor.addOutput(b.editor.add1("Identity", [id], {}, { body }), body);
    return attribute.graph(body);
  });
  const [then_branch, else_branch] = [branchOf(bodies[0]), branchOf(bodies[1])];
  return b.many("If", outputs, [condition], { then_branch, else_branch });
}

function branchOf<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("there is no such branch");
  return value;
}

/** A score, and what is asked only where it is high: a verifier behind a detector. */
function verified(condition: readonly number[] = [1, 1]): Graph {
  return graphOf({ x: ["float32", 1, 6] }, (input, b) => {
    const score = b.add("Sigmoid", [b.add("MatMul", [input("x"), b.weights(6, 1)])]);
    const high = b.add("GreaterOrEqual", [score, b.floats([0.5], [])]);
    const asked = b.add("Reshape", [high, b.ints(condition)]);
    const [w, v] = [b.weights(6, 6), b.weights(6, 1)];
    const given = either(
      b,
      asked,
      (add) => [add("Exp", [add("MatMul", [add("Tanh", [add("MatMul", [input("x"), w])]), v])])],
      () => [score],
    );
    return { y: b.add("Neg", [present(given[0])]) };
  });
}

const said = async (graph: Graph): Promise<readonly string[]> =>
  (await supportOf(graph, aot)).obstacles.map(({ op, reason }) => `${op}: ${reason}`);

describe("an If that a run decides", () => {
  it.each([[[1, 1]], [[1]], [[]]])(
    "gives in a module what the branch gives that is taken, condition %j",
    async (shape) => {
      const graph = verified(shape);
      expect(await said(graph)).toEqual([]);
      const answers: number[] = [];
      for (let seed = 1; seed < 8; seed += 1) {
        const feeds = { x: floats([1, 6], [...noise(6, seed)]) };
        const expected = await byEngine(graph, feeds);
        expect(difference(expected, await byModule(graph, feeds))).toBeLessThan(1e-5);
        answers.push(Number(expected["y"]?.data[0]));
      }
      // A score below a half is its own answer.
      expect(new Set(answers.map((y) => y > -0.5)).size).toBe(2);
    },
  );

  it("gives what lies in another, and several results", async () => {
    const graph = graphOf({ x: ["float32", 4] }, (input, b) => {
      const above = (least: number): ValueId =>
        b.add("Greater", [b.add("ReduceSum", [input("x"), b.ints([0])]), b.floats([least], [1])]);
      const inner = either(
        b,
        above(0.5),
        (add) => [add("Exp", [input("x")]), add("Neg", [input("x")])],
        (add) => [input("x"), add("Tanh", [input("x")])],
        2,
      );
      const [first, second] = [present(inner[0]), present(inner[1])];
      const outer = either(
        b,
        above(0),
        (add) => [add("Add", [first, second])],
        (add) => [add("Sub", [first, second])],
      );
      return { y: b.add("Neg", [present(outer[0])]) };
    });
    expect(await said(graph)).toEqual([]);
    for (let seed = 1; seed < 8; seed += 1) {
      const feeds = { x: floats([4], [...noise(4, seed)]) };
      expect(difference(await byEngine(graph, feeds), await byModule(graph, feeds))).toBeLessThan(1e-5); // prettier-ignore
    }
  });
});

describe("an If stays", () => {
  const indexed = (branch: (b: Builder, x: ValueId) => Branch): Graph =>
    graphOf({ x: ["float32", 4] }, (input, b) => {
      const sum = b.add("ReduceSum", [input("x"), b.ints([0])]);
      const condition = b.add("Greater", [sum, b.floats([0], [1])]);
      const given = either(b, condition, branch(b, input("x")), () => [input("x")]);
      return { y: b.add("Neg", [present(given[0])]) };
    });

  it("where the branch that is not taken may fail", async () => {
    const graph = indexed((b, x) => (add) => {
      const places = b.add("Cast", [x], { to: attribute.int(7) });
      return [add("Gather", [x, places])];
    });
    expect(await said(graph)).toEqual([
      "If: a Gather in a branch may fail where the other one is taken",
    ]);
  });

  it("where its branches give other sizes", async () => {
    const graph = indexed((_, x) => (add) => [add("Concat", [x, x])]);
    expect((await said(graph)).join()).toMatch(/^If: /);
  });

  it("where one truth value decides, which may never change", async () => {
    const graph = graphOf({ x: ["float32", 4], fast: ["bool"] }, (input, b) => {
      const given = either(
        b,
        input("fast"),
        (add) => [add("Exp", [input("x")])],
        () => [input("x")],
      );
      return { y: b.add("Neg", [present(given[0])]) };
    });
    expect(await said(graph)).toEqual(["If: it is not compiled, give --const fast=…"]);
  });
});

it("keeps the constants of its branches", async () => {
  const graph = graphOf({ x: ["float32", 3] }, (input, b) => {
    const { editor } = b;
    const sum = b.add("ReduceSum", [input("x"), b.ints([0])]);
    const condition = b.add("Greater", [sum, b.floats([0], [1])]);
    const bodies = [1, 2].map((value) => {
      const body = editor.addBody("branch");
      const own = editor.constant("own", Tensor.float32([3], [value, -value, 0]), body);
      editor.addOutput(editor.add1("Add", [input("x"), own], {}, { body }), body);
      return attribute.graph(body);
    });
    const [then_branch, else_branch] = [branchOf(bodies[0]), branchOf(bodies[1])];
    const given = b.many("If", 1, [condition], { then_branch, else_branch });
    return { y: b.add("Neg", [present(given[0])]) };
  });
  for (const numbers of [
    [1, 2, 3],
    [-1, -2, -3],
  ]) {
    const feeds = { x: floats([3], numbers) };
    expect(difference(await byEngine(graph, feeds), await byModule(graph, feeds))).toBeLessThan(1e-6); // prettier-ignore
  }
});
