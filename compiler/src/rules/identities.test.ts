import { describe, expect, it } from "vitest";
import { attribute, Tensor, tensorType } from "../ir/index.js";
import { identities } from "./identities.js";
import { apply, graphOf, opsOf } from "./rule-case.test.support.js";
import { runRules } from "./run-rules.js";

const float = attribute.int(1);

describe("identities are dropped", () => {
  it.each([
    ["Identity", (x, b) => b.add("Identity", [x])],
    ["Dropout", (x, b) => b.add("Dropout", [x])],
    ["Cast to the same type", (x, b) => b.add("Cast", [x], { to: float })],
    ["Concat of one", (x, b) => b.add("Concat", [x], { axis: attribute.int(0) })],
    ["Sum of one", (x, b) => b.add("Sum", [x])],
    ["Reshape to its own shape", (x, b) => b.add("Reshape", [x, b.ints([0, 3])])],
    [
      "Slice of everything",
      (x, b) => b.add("Slice", [x, b.ints([0]), b.ints([Number.MAX_SAFE_INTEGER]), b.ints([1])]),
    ],
    ["Tile once", (x, b) => b.add("Tile", [x, b.ints([1, 1])])],
    ["Pad by nothing", (x, b) => b.add("Pad", [x, b.ints([0, 0, 0, 0])])],
    ["Transpose in order", (x, b) => b.add("Transpose", [x], { perm: attribute.ints([0, 1]) })],
    ["Clip without bounds", (x, b) => b.add("Clip", [x])],
    ["Add 0", (x, b) => b.add("Add", [b.floats([0]), x])],
    ["Sub 0", (x, b) => b.add("Sub", [x, b.floats([0])])],
    ["Mul 1", (x, b) => b.add("Mul", [x, b.floats([1, 1, 1])])],
    ["Div 1", (x, b) => b.add("Div", [x, b.floats([1])])],
    ["Pow 1", (x, b) => b.add("Pow", [x, b.floats([1])])],
    ["double Neg", (x, b) => b.add("Neg", [b.add("Neg", [x])])],
    ["Expand to its own shape", (x, b) => b.add("Expand", [x, b.ints([1, 3])])],
  ] satisfies [string, Parameters<typeof single>[0]][])("%s", async (_, build) => {
    expect((await apply(identities, single(build))).ops).toEqual(["Abs", "Relu"]);
  });
});

describe("what only looks like an identity stays", () => {
  it.each([
    [
      "Cast to another type",
      "Cast",
      (x, b) => b.add("Cast", [b.add("Cast", [x], { to: attribute.int(6) })], { to: float }),
    ],
    ["Add of 0 that broadcasts", "Add", (x, b) => b.add("Add", [x, b.floats([0, 0], [2, 1, 1])])],
    ["0 − x", "Sub", (x, b) => b.add("Sub", [b.floats([0]), x])],
    ["1 / x", "Div", (x, b) => b.add("Div", [b.floats([1]), x])],
    [
      "Slice backwards",
      "Slice",
      (x, b) => b.add("Slice", [x, b.ints([2]), b.ints([-9]), b.ints([1]), b.ints([-1])]),
    ],
    ["Concat of two", "Concat", (x, b) => b.add("Concat", [x, x], { axis: attribute.int(0) })],
    [
      "Transpose of axes",
      "Transpose",
      (x, b) => b.add("Transpose", [x], { perm: attribute.ints([1, 0]) }),
    ],
    [
      "Transpose of no axes, which is none of a matrix",
      "Transpose",
      (x, b) => b.add("Transpose", [x], { perm: attribute.ints([]) }),
    ],
    ["Expand that repeats", "Expand", (x, b) => b.add("Expand", [x, b.ints([2, 1, 1])])],
  ] satisfies [string, string, Parameters<typeof single>[0]][])("%s", async (_, op, build) => {
    expect((await apply(identities, single(build))).ops).toContain(op);
  });
});

it("leaves a Cast of four bits that is all of a model: no engine has an Identity of them", async () => {
  for (const [type, to, ops] of [
    ["uint4", 21, ["Cast"]],
    ["uint8", 2, ["Identity"]],
  ] as const) {
    const graph = graphOf({ x: [type, 2, 3] }, (input, b) => ({
      y: b.add("Cast", [input("x")], { to: attribute.int(to) }),
    }));
    expect((await apply(identities, graph)).ops).toEqual(ops);
  }
});

type Build = Parameters<typeof graphOf>[1];
type Id = ReturnType<Parameters<Build>[0]>;

function single(build: (x: Id, b: Parameters<Build>[1]) => Id) {
  return graphOf({ x: ["float32", "N", 3] }, (input, b) => ({
    y: b.add("Relu", [build(b.add("Abs", [input("x")]), b)]),
  }));
}

describe("a Dropout in training mode", () => {
  const dropout = (on: boolean) =>
    single((x, b) => {
      const training = b.editor.constant("on", Tensor.of("bool", [], Uint8Array.of(Number(on))));
      return b.add("Dropout", [x, b.floats([0]), training]);
    });

  it("stays, since it is random at every run, and says what to do", async () => {
    const { ops, misses } = await apply(identities, dropout(true));
    expect(ops).toEqual(["Abs", "Dropout", "Relu"]);
    expect(misses).toEqual([expect.stringContaining("export the model for inference")]);
  });

  it("goes where the mode is off", async () => {
    expect((await apply(identities, dropout(false))).ops).toEqual(["Abs", "Relu"]);
  });
});

describe("a declared shape that nothing confirms", () => {
  it.each(["Tile", "Unsqueeze", "Reshape"])("leaves a %s by what only a run knows", async (op) => {
    const graph = graphOf({ x: ["float32", 2, 3], by: ["int64", 2] }, (input, b) => {
      const made = b.add(op, [input("x"), input("by")]);
      b.editor.setType(made, tensorType("float32", [2, 3]));
      return { y: b.add("Relu", [made]) };
    });
    await runRules(graph, identities, {});
    expect(opsOf(graph)).toEqual([op, "Relu"]);
  });
});

describe("outputs", () => {
  it("keeps an Identity between an input and an output", async () => {
    const graph = graphOf({ x: ["float32", 3] }, (input, b) => ({
      y: b.add("Identity", [input("x")]),
    }));
    expect((await apply(identities, graph)).ops).toEqual(["Identity"]);
  });

  it("hands the output's name to what made it", async () => {
    const graph = graphOf({ x: ["float32", 3] }, (input, b) => ({
      y: b.add("Identity", [b.add("Abs", [input("x")])]),
    }));
    expect((await apply(identities, graph)).ops).toEqual(["Abs"]);
    expect(graph.main.outputs.map((id) => graph.value(id).name)).toEqual(["y"]);
  });
});
