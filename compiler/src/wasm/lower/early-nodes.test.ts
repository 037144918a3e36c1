import { describe, expect, it } from "vitest";
import { attribute, type Graph, type ValueId } from "../../ir/index.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { planOf } from "../compile.js";
import { planTogether } from "../plan/memory-plan.js";
import { compare } from "../run-model.test.support.js";

const exactly = { poisoned: true, reference: true };

/** Projections of positions, which no run changes. */
const positions = (b: Builder, rows: number, columns: number): ValueId =>
  b.add("MatMul", [b.weights(rows, 5), b.weights(5, columns)]);

async function kernelsOf(graph: Graph) {
  const { steps, prepared } = await planOf(graph);
  const names = (of: readonly { readonly kernel: string }[]): readonly string[] =>
    of.map(({ kernel }) => kernel);
  return { run: names(steps), start: names(prepared.flatMap((one) => one.steps)) };
}

describe("what depends on constants alone", () => {
  it("is computed when the module is started, with what packs it for a product", async () => {
    const graph = graphOf({ x: ["float32", 7, 12] }, (input, b) => ({
      y: b.add("MatMul", [input("x"), b.add("Tanh", [positions(b, 12, 9)])]),
    }));
    expect(await kernelsOf(graph)).toEqual({ run: ["matrix"], start: ["matrix", "pack"] });
    expect(await compare(graph, exactly)).toBeLessThan(1e-5);
  });

  it("takes in nothing that a run computes", async () => {
    const graph = graphOf({ x: ["float32", 7, 12] }, (input, b) => {
      const first = b.add("Tanh", [input("x")]);
      return { y: b.add("Mul", [b.add("Add", [positions(b, 7, 12), first]), first]) };
    });
    const { run, start } = await kernelsOf(graph);
    expect([run.includes("matrix"), start]).toEqual([false, ["matrix"]]);
    expect(await compare(graph, exactly)).toBeLessThan(1e-5);
  });

  it("is joined with what a run computes, and by itself", async () => {
    const axis = { axis: attribute.int(0) };
    const graph = graphOf({ x: ["float32", 4, 8] }, (input, b) => {
      const both = b.add("Concat", [positions(b, 4, 8), positions(b, 4, 8)], axis);
      return {
        y: b.add("Concat", [input("x"), positions(b, 4, 8), both], axis),
        z: b.add("Relu", [b.add("MatMul", [input("x"), both], {})]),
      };
    });
    expect(await compare(graph, exactly)).toBeLessThan(1e-5);
  });

  it("may be an output, which whoever runs the module may write over", async () => {
    const graph = graphOf({ x: ["float32", 4, 8] }, (input, b) => {
      const constant = positions(b, 4, 8);
      return { y: constant, z: b.add("Add", [input("x"), constant]) };
    });
    const { outputs } = await planOf(graph);
    expect(outputs.map(({ place }) => place.in.kind)).toEqual(["buffer", "buffer"]);
    expect(await compare(graph, exactly)).toBeLessThan(1e-5);
  });

  it("is there once for several sizes", async () => {
    const plans = await Promise.all(
      [3, 5].map((rows) =>
        planOf(
          graphOf({ x: ["float32", rows, 12] }, (input, b) => ({
            y: b.add("MatMul", [input("x"), positions(b, 12, 9)]),
          })),
        ),
      ),
    );
    expect(plans.map(({ prepared }) => prepared.length)).toEqual([2, 2]);
    expect(planTogether(plans).prepared).toHaveLength(2);
  });

  it("is computed at each run where it takes much memory", async () => {
    const graph = graphOf({ x: ["float32", 1] }, (input, b) => ({
      y: b.add("ReduceSum", [b.add("Mul", [b.add("Expand", [b.floats([2], [1]), b.ints([3000, 3000])]), input("x")])]), // prettier-ignore
    }));
    expect(await kernelsOf(graph)).toMatchObject({ start: [] });
  });
});
