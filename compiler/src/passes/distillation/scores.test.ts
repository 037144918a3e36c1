import { expect, it } from "vitest";
import { attribute, type Graph } from "../../ir/index.js";
import type { Example } from "../../pipeline/examples.js";
import { randomOf } from "../../pipeline/random.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { examplesOf } from "../../train/small-networks.test.support.js";
import { distill } from "../distill.js";
import { distillGraph } from "./distill-graph.js";

/** A map of four classes, which come last. */
function maps(last: "Softmax" | null): Graph {
  return graphOf({ x: ["float32", "N", 2, 2, 3] }, (input, b) => {
    const scores = b.add("Conv", [input("x"), b.weights(4, 2, 1, 1)]);
    const shares = last === null ? scores : b.add(last, [scores], { axis: attribute.int(1) });
    return { y: b.add("Transpose", [shares], { perm: attribute.ints([0, 2, 3, 1]) }) };
  });
}

it("learns the same of maps whose softmax is turned as of those that have none", async () => {
  const samples = Array.from({ length: 4 }, (_, at): Example => {
    const data = Float32Array.from({ length: 12 }, (__, place) => ((at * 5 + place * 7) % 9) - 4);
    const label = Array.from({ length: 6 }, (__, place) => (at + place) % 4);
    return { feeds: { x: { type: "float32", dims: [1, 2, 2, 3], data } }, label };
  });
  const losses = async (graph: Graph): Promise<readonly number[]> => {
    const { history } = await distillGraph(
      graph,
      distill.parse({ epochs: 2, batch: 2, rate: 0.1 }),
      {
        examples: examplesOf(samples),
        random: (name) => randomOf(1, name),
      },
    );
    return history.map(({ loss }) => loss);
  };
  expect(await losses(maps("Softmax"))).toEqual(await losses(maps(null)));
});
