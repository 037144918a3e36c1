import { describe, expect, it } from "vitest";
import { attribute, type Graph, Tensor } from "../ir/index.js";
import { dropLengths } from "./recurrent.js";
import { apply, graphOf } from "./rule-case.test.support.js";

const hidden = { hidden_size: attribute.int(4) };

function gru(lengths: readonly number[] | "given"): Graph {
  return graphOf({ x: ["float32", 5, 2, 3], n: ["int32", 2] }, (input, b) => {
    const ends =
      lengths === "given"
        ? input("n")
        : b.editor.constant("n", Tensor.of("int32", [2], Int32Array.from(lengths)));
    const [y = input("x")] = b.many(
      "GRU",
      2,
      [input("x"), b.weights(1, 12, 3), b.weights(1, 12, 4), null, ends],
      hidden,
    );
    return { y };
  });
}

async function keepsLengths(graph: Graph): Promise<boolean> {
  await apply(dropLengths, graph);
  const [node] = graph.order();
  return (node?.inputs[4] ?? null) !== null;
}

describe("lengths of sequences", () => {
  it("are dropped where all are the input's", async () => {
    expect(await keepsLengths(gru([5, 5]))).toBe(false);
  });

  it("stay where one is shorter, and where only a run knows them", async () => {
    expect(await keepsLengths(gru([5, 3]))).toBe(true);
    expect(await keepsLengths(gru("given"))).toBe(true);
  });
});
