import { isPareError } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { attribute, type Graph, Tensor, type ValueId } from "../ir/index.js";
import { applyGroup } from "../pipeline/apply-step.js";
import { randomOf } from "../pipeline/random.js";
import { passes } from "../passes/index.js";
import { type Builder, graphOf } from "../rules/rule-case.test.support.js";
import { freeParameters } from "./free-parameters.js";
import { initializeFresh } from "./initialize.js";
import { learnedConstants, leaveUnlearned } from "./parameters.js";
import { bars, examplesOf } from "./small-networks.test.support.js";

const draw = (name: string): (() => number) => randomOf(3, name);

function named(b: Builder, name: string, ...dims: readonly number[]): ValueId {
  const next = draw(name);
  const count = dims.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length: count }, () => next() - 0.5);
  return b.editor.constant(name, Tensor.float32(dims, values));
}

/** Patches of 4 by 4 pixels, a class token, positions, a branch that is scaled, a mask, and pixels that are scaled. */
function visionTransformer(): Graph {
  return graphOf({ x: ["float32", "n", 1, 8, 8] }, (input, b) => {
    const scaled = b.add("Mul", [input("x"), named(b, "one_by_deviation", 1, 1, 1, 8)]);
    const strides = { strides: attribute.ints([4, 4]) };
    const patches = b.add("Conv", [scaled, named(b, "patch.w", 6, 1, 4, 4)], strides);
    const rows = b.add("Reshape", [patches, b.ints([0, 6, 4])]);
    const words = b.add("Transpose", [rows], { perm: attribute.ints([0, 2, 1]) });
    const [count] = [b.add("Shape", [input("x")], { end: attribute.int(1) })];
    const size = b.add("Concat", [count, b.ints([1, 6])], { axis: attribute.int(0) });
    const token = b.add("Expand", [named(b, "token", 1, 1, 6), size]);
    const all = b.add("Concat", [token, words], { axis: attribute.int(1) });
    const placed = b.add("Add", [all, named(b, "positions", 1, 5, 6)]);
    const mask = b.editor.constant("mask", Tensor.float32([1, 5, 1], [0, 0, 0, 0, -1e9]));
    const product = b.add("MatMul", [placed, named(b, "branch.w", 6, 6)]);
    const branch = b.add("Mul", [product, named(b, "gamma", 6)]);
    const masked = b.add("Softmax", [b.add("Add", [branch, mask])], { axis: attribute.int(1) });
    const mean = b.add("ReduceMean", [b.add("Add", [masked, placed]), b.ints([1])], {
      keepdims: attribute.int(0),
    });
    return { scores: b.add("Gemm", [mean, named(b, "head.w", 6, 4), named(b, "head.b", 4)]) };
  });
}

const all = ["positions", "token", "gamma"];
const numbersOf = (graph: Graph): ReadonlyMap<string, readonly number[]> =>
  new Map(
    [...graph.allValues()].map(({ name, constant }) => [name, constant?.numbers() ?? []] as const),
  );

it("finds what no layer owns: no masks, and nothing in front of all that is learned", () => {
  const graph = visionTransformer();
  const names = freeParameters(graph).map((id) => graph.value(id).name);
  expect(names.toSorted()).toEqual(["gamma", "positions", "token"]);
  expect(leaveUnlearned(graph, [], "distill")).toContain("token, positions, gamma");
  expect(leaveUnlearned(graph, ["pos*", "gamma"], "distill")).toMatch(/owns token:/);
  expect(graph.journal.map(({ rule, what, reason }) => `${rule} ${what}: ${reason}`)).toContain(
    "distill left: no layer owns its gamma, and learn does not name it",
  );
  expect(leaveUnlearned(graph, all, "distill")).toBeNull();
});

it("finds what is too large to be held in memory", () => {
  const graph = graphOf({ x: ["float32", 1, 197, 16] }, (input, b) => {
    const placed = b.add("MatMul", [input("x"), named(b, "w", 16, 128)]);
    return { y: b.add("Add", [placed, named(b, "positions", 1, 197, 128)]) };
  });
  expect(leaveUnlearned(graph, [], "distill")).toContain("positions");
});

it("learns single numbers by their whole names alone", () => {
  const graph = graphOf({ x: ["float32", 1, 16] }, (input, b) => {
    const half = b.editor.constant("half", Tensor.float32([], [0.5]));
    return { y: b.add("Mul", [b.add("MatMul", [input("x"), named(b, "w", 16, 4)]), half]) };
  });
  const names = (learn: string): readonly string[] =>
    learnedConstants(graph, [learn]).map(({ name }) => name);
  expect(names("*")).toEqual(["w"]);
  expect(names("half")).toEqual(["w", "half"]);
});

it("learns what is named, and nothing else of it", async () => {
  const graph = visionTransformer();
  const before = numbersOf(graph);
  const step = { use: "distill", with: { epochs: 2, batch: 8, learn: ["pos*", "gamma"] } };
  const context = { examples: examplesOf(bars(16)), random: draw };
  const after = numbersOf((await applyGroup(graph, { steps: [step] }, context, passes)).graph);
  for (const name of ["positions", "gamma", "branch.w"])
    expect(after.get(name)).not.toEqual(before.get(name));
  for (const name of ["token", "mask", "one_by_deviation"])
    expect(after.get(name)).toEqual(before.get(name));
});

it("draws it anew with all else", () => {
  const graph = visionTransformer();
  const before = numbersOf(graph);
  initializeFresh(graph, draw, [], all);
  const after = numbersOf(graph);
  expect(after.get("gamma")).toEqual([1, 1, 1, 1, 1, 1]);
  for (const name of ["positions", "token"]) {
    expect(after.get(name)).not.toEqual(before.get(name));
    expect(after.get(name)?.some((number) => number !== 0)).toBe(true);
  }
});

it("says a name that nothing has, and what there is", () => {
  const graph = visionTransformer();
  const fault = (): unknown => {
    try {
      return learnedConstants(graph, ["position"]);
    } catch (error) {
      return isPareError(error) ? `${error.code}: ${error.message} ${error.hint}` : error;
    }
  };
  expect(fault()).toBe(
    'RECIPE: No constant that can be trained is called "position". No layer owns token, positions, gamma. Name constants as they are called where the step runs: what simplify folds has other names.',
  );
});
