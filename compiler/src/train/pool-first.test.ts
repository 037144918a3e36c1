import { describe, expect, it } from "vitest";
import { attribute, edit, type Graph } from "../ir/index.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { floatsOf, load, withGradients } from "./gradient-check.test.support.js";
import { poolFirst } from "./pool-first.js";

const { ints } = attribute;
const windows = { kernel_shape: ints([2, 2]), strides: ints([2, 2]), pads: ints([0, 1, 1, 0]) };

/** @param twice the Relu is read by another one */
function network(twice = false): Graph {
  return graphOf({ x: ["float32", 2, 3, 7, 7] }, (input, { add }) => {
    const relu = add("Relu", [input("x")]);
    const y = add("MaxPool", [relu], windows);
    return twice ? { y, z: add("Neg", [relu]) } : { y };
  });
}

function swapped(graph: Graph, isKept = false): Graph {
  const [relu, pool] = graph.order();
  if (relu === undefined || pool === undefined) throw new Error("no pool");
  const kept = new Set(isKept ? relu.outputs.filter((id) => id !== null) : []);
  edit(graph, "pool-first", (editor) => poolFirst(editor, graph, pool, kept));
  return graph;
}

const opsOf = (graph: Graph): readonly string[] => graph.order().map(({ op }) => op);

describe("a pool behind a Relu", () => {
  it("comes first, with the same numbers and the same gradients, bit for bit", async () => {
    // Whole numbers from −3 to 2: windows with several largest ones, with none above 0, and with zeros.
    const data = Float32Array.from({ length: 294 }, (_, i) => ((i * 5 + (i >> 2)) % 6) - 3);
    const results = await Promise.all(
      [network(), swapped(network())].map(async (graph) => {
        withGradients(graph, "cpu");
        const session = await load(graph);
        const weights = session.inputs.find(({ name }) => name !== "x");
        const shape = (weights?.dims ?? []).map(Number);
        const length = shape.reduce((product, size) => product * size, 1);
        const outputs = await session.run({
          x: { type: "float32", dims: [2, 3, 7, 7], data },
          "weights of y": {
            type: "float32",
            dims: shape,
            data: Float32Array.from({ length }, (_, i) => i + 1),
          },
        });
        await session.dispose();
        return [outputs["y"], outputs["x.gradient"]].map((one) =>
          Array.from(floatsOf(one), (value) => value + 0),
        );
      }),
    );
    expect(results[1]).toEqual(results[0]);
    expect(results[0]?.[1]?.some((value) => value > 0)).toBe(true);
    expect(opsOf(swapped(network()))).toEqual(["MaxPool", "Relu"]);
  });

  it("stays where the Relu is looked at by others", () => {
    expect(opsOf(swapped(network(true))).slice(0, 2)).toEqual(["Relu", "MaxPool"]);
    expect(opsOf(swapped(network(), true))).toEqual(["Relu", "MaxPool"]);
  });
});
