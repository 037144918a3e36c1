import { describe, expect, it } from "vitest";
import { type Graph, verifyGraph } from "../ir/index.js";
import { type Builder, graphOf } from "../rules/rule-case.test.support.js";
import { demandTrainable } from "./parameters.js";
import { untieVectors } from "./untie-vectors.js";

/** After it, which readers of vectors read the same: a letter for each constant, by operator. */
function untied(graph: Graph): readonly string[] {
  untieVectors(graph);
  verifyGraph(graph, "untie");
  const letters = new Map<number, string>();
  return graph.order().flatMap(({ op, inputs }) => {
    const read = inputs.flatMap((id) => {
      const tensor = graph.constant(id);
      if (id === null || tensor?.dtype !== "float32" || tensor.count > 4) return [];
      const letter = letters.get(id) ?? String.fromCharCode(97 + letters.size);
      letters.set(id, letter);
      return [letter];
    });
    return read.length === 0 ? [] : [`${op} ${read.join("")}`];
  });
}

const ones = (b: Builder) => b.floats([1, 1, 1, 1]);
const zeros = (b: Builder) => b.floats([0, 0, 0, 0]);

describe("vectors that are read several times", () => {
  it("become one for each norm, and for each of what it reads", () => {
    const graph = graphOf({ x: ["float32", 1, 4, 5] }, (input, b) => {
      const [one, none] = [ones(b), zeros(b)];
      const norm = (x: ReturnType<typeof input>) =>
        b.add("BatchNormalization", [x, one, none, none, one]);
      const first = norm(b.add("Conv", [input("x"), b.weights(4, 4, 1), none]));
      return { y: norm(b.add("Conv", [first, b.weights(4, 4, 1), none])) };
    });
    expect(untied(graph)).toEqual([
      "Conv a",
      "BatchNormalization bcde",
      "Conv f",
      "BatchNormalization ghij",
    ]);
    expect(untieVectors(graph)).toBe(false);
  });

  it("stay those of what learns nothing, and of the outputs", () => {
    const graph = graphOf({ x: ["float32", 2, 4] }, (input, b) => {
      const vector = zeros(b);
      const product = b.add("Add", [b.add("MatMul", [input("x"), b.weights(4, 4)]), vector]);
      return { y: b.add("Mul", [product, vector]), vector };
    });
    const output = graph.main.outputs[1];
    expect(untied(graph)).toEqual(["Add a", "Mul b"]);
    expect(graph.main.outputs[1]).toBe(output);
    expect(graph.order().at(-1)?.inputs).toContain(output);
  });

  it("become one for each of several norms behind the same weights", () => {
    const graph = graphOf({ ids: ["int64", 3] }, (input, b) => {
      const [one, none] = [ones(b), zeros(b)];
      const norm = (x: ReturnType<typeof input>) => b.add("LayerNormalization", [x, one, none]);
      return { y: norm(norm(b.add("Gather", [b.weights(9, 4), input("ids")]))) };
    });
    expect(untied(graph)).toEqual(["LayerNormalization ab", "LayerNormalization cd"]);
  });

  it("stay one where a layer is applied to two inputs", () => {
    const graph = graphOf({ x: ["float32", 1, 4, 5], y: ["float32", 1, 4, 5] }, (input, b) => {
      const [one, none, weight] = [ones(b), zeros(b), b.weights(4, 4, 1)];
      const layer = (x: ReturnType<typeof input>) =>
        b.add("BatchNormalization", [b.add("Conv", [x, weight, none]), one, none, none, one]);
      return { distance: b.add("Sub", [layer(input("x")), layer(input("y"))]) };
    });
    expect(untied(graph).toSorted()).toEqual([
      "BatchNormalization bcde",
      "BatchNormalization bcde",
      "Conv a",
      "Conv a",
    ]);
  });

  it("stay one where layers with a way around them are applied one after the other", () => {
    const graph = graphOf({ x: ["float32", 2, 4] }, (input, b) => {
      const [one, none] = [ones(b), zeros(b)];
      const [up, down] = [b.weights(4, 8), b.weights(8, 4)];
      let h = b.add("MatMul", [input("x"), b.weights(4, 4)]);
      for (let layer = 0; layer < 3; layer += 1) {
        const inner = b.add("Relu", [b.add("MatMul", [h, up])]);
        const made = b.add("Add", [b.add("MatMul", [inner, down]), none]);
        h = b.add("LayerNormalization", [b.add("Add", [h, made]), one, none]);
      }
      return { y: h };
    });
    const layer = ["Add a", "LayerNormalization bc"];
    expect(untied(graph)).toEqual([...layer, ...layer, ...layer]);
  });

  it("are not trainable under a name that only another reader has", () => {
    const graph = graphOf({ x: ["float32", 1, 4, 5] }, (input, b) => {
      const one = b.floats([0.25], [1, 1]);
      const first = b.add("PRelu", [b.add("Conv", [input("x"), b.weights(4, 4, 1)]), one]);
      const conv = b.add("Conv", [first, b.weights(4, 4, 1)]);
      return { y: b.add("PRelu", [conv, one]) };
    });
    expect(() => demandTrainable(graph, ["y"])).not.toThrow();
    expect(() => demandTrainable(graph, ["z"])).toThrow(/Nothing that can be trained/);
    // It looks at a copy.
    expect(untied(graph)).toEqual(["PRelu a", "PRelu b"]);
  });
});
