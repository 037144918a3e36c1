import { describe, expect, it } from "vitest";
import type { Graph, ValueId } from "../../ir/index.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { fp16 } from "../fp16.js";
import { agreement, feedsOf, quantized, run } from "../quantization/engine-case.test.support.js";

/** What a graph of one float32 input, [2, 8], left float32, in its order. */
async function stayed(make: (x: ValueId, b: Builder) => ValueId): Promise<readonly string[]> {
  const float = graphOf({ x: ["float32", 2, 8] }, (input, b) => ({
    y: b.add("Mul", [make(b.add("Relu", [input("x")]), b), b.weights(8)]),
  }));
  const graph = await quantized(fp16, float);
  const feeds = feedsOf(float);
  expect(agreement(await run(float, feeds), await run(graph, feeds))).toBeGreaterThan(50);
  return float32In(graph);
}

function float32In(graph: Graph): readonly string[] {
  return graph.order().flatMap(({ op, outputs }) => {
    const type = outputs[0] == null ? undefined : graph.value(outputs[0]).type;
    return op !== "Cast" && type?.kind === "tensor" && type.dtype === "float32" ? [op] : [];
  });
}

const meanSquare = (x: ValueId, b: Builder): ValueId =>
  b.add("ReduceMean", [b.add("Pow", [x, b.floats([2], [])]), b.ints([-1])]);

describe("squares that are summed", () => {
  it("stay float32 up to what is divided by their root", async () => {
    const written = await stayed((x, b) => {
      const root = b.add("Sqrt", [b.add("Add", [meanSquare(x, b), b.floats([1e-6], [])])]);
      return b.add("Div", [x, root]);
    });
    expect(written).toEqual(["Pow", "ReduceMean", "Add", "Sqrt", "Div"]);
    const inverse = await stayed((x, b) => {
      const sum = b.add("ReduceMean", [b.add("Mul", [x, x]), b.ints([-1])]);
      const root = b.add("Sqrt", [b.add("Add", [sum, b.floats([1e-6], [])])]);
      return b.add("Mul", [b.add("Reciprocal", [root]), x]);
    });
    expect(inverse).toEqual(["Mul", "ReduceMean", "Add", "Sqrt", "Reciprocal", "Mul"]);
    const unit = await stayed((x, b) => {
      const norm = b.add("ReduceL2", [x, b.ints([-1])]);
      return b.add("Div", [x, b.add("Clip", [norm, b.floats([1e-12], [])])]);
    });
    expect(unit).toEqual(["ReduceL2", "Clip", "Div"]);
  });

  it("are those of spectra too, up to a logarithm", async () => {
    const spectrum = await stayed((x, b) => {
      const [re, im] = [b.add("Sin", [x]), b.add("Cos", [x])];
      const power = b.add("Add", [b.add("Mul", [re, re]), b.add("Mul", [im, im])]);
      const bands = b.add("MatMul", [power, b.floats(Array(64).fill(0.1), [8, 8])]);
      return b.add("Neg", [b.add("Log", [b.add("Max", [bands, b.floats([1e-10], [])])])]);
    });
    expect(spectrum).toEqual(["Mul", "Mul", "Add", "MatMul", "Max", "Log"]);
  });

  it("go to float16 where they meet what is no square, and where nothing sums them", async () => {
    const gated = await stayed((x, b) => b.add("Mul", [meanSquare(x, b), b.add("Neg", [x])]));
    expect(gated).toEqual(["Pow", "ReduceMean"]);
    const plain = await stayed((x, b) => b.add("Add", [b.add("Mul", [x, x]), x]));
    expect(plain).toEqual([]);
  });
});
