import { expect, it } from "vitest";
import { attribute, type Graph, type ValueId } from "../../../ir/index.js";
import { type Builder, graphOf } from "../../../rules/rule-case.test.support.js";
import { quantizeStatic } from "../../quantize-static.js";
import { agreement, feedsOf, quantized, run } from "../engine-case.test.support.js";
import { roundedIn } from "./rounded-in.test.support.js";

const pads = { pads: attribute.ints([1, 1, 1, 1]) };

function layers(b: Builder): (name: string, x: ValueId, from: number, to: number) => ValueId {
  return (name, x, from, to) => {
    const id = b.add("Conv", [x, b.weights(to, from, 3, 3), b.weights(to)], pads);
    b.editor.rename(id, name);
    return id;
  };
}

/** A convolution's result times its own Sigmoid, joined with another that is summed and pooled. */
function network(): Graph {
  return graphOf({ x: ["float32", 1, 3, 8, 8] }, (input, b) => {
    const conv = layers(b);
    const named = (name: string, id: ValueId): ValueId => (b.editor.rename(id, name), id);
    const a = conv("a", input("x"), 3, 8);
    const gated = named("gated", b.add("Mul", [a, named("gate", b.add("Sigmoid", [a]))]));
    const sum = b.add("Add", [conv("b", gated, 8, 8), gated]);
    const joined = named(
      "joined",
      b.add("Concat", [named("sum", b.add("Relu", [sum])), gated], { axis: attribute.int(1) }),
    );
    const c = conv("c", joined, 16, 8);
    const mean = named("mean", b.add("GlobalAveragePool", [c]));
    const scale = named("scale", b.add("Conv", [mean, b.weights(8, 8, 1, 1)]));
    const open = named("open", b.add("HardSigmoid", [scale]));
    const opened = named("opened", b.add("Mul", [c, open]));
    const swished = named("swished", b.add("HardSwish", [conv("d", opened, 8, 8)]));
    const head = conv("head", named("last", b.add("Add", [swished, opened])), 8, 4);
    return { y: b.add("Sigmoid", [head]) };
  });
}

it("rounds what the engine computes on integers, where all that it reads is rounded and integers are read", async () => {
  const float = network();
  const graph = await quantized(quantizeStatic, float, {});
  // The engine knows neither HardSigmoid nor HardSwish of integers: rounding what is spread over a map costs nothing, and
  // rounding a map for its sake what it saves. What leaves the model is read by no integer node.
  const between = ["gate", "gated", "sum", "joined", "mean", "open", "opened"];
  const others = ["x", "a", "b", "c", "d", "scale", "head", "last"];
  expect(roundedIn(graph)).toEqual([...between, ...others].sort());
  const feeds = feedsOf(float, 1);
  expect(agreement(await run(float, feeds), await run(graph, feeds))).toBeGreaterThan(20);
});

it("rounds nothing between on request", async () => {
  const rounded = roundedIn(await quantized(quantizeStatic, network(), { between: "float" }));
  for (const name of ["gate", "sum", "open"]) expect(rounded).not.toContain(name);
});

it("keeps the steps that were decided for what is read again, whatever is read between", async () => {
  const float = graphOf({ x: ["float32", 1, 4, 8, 8] }, (input, b) => {
    const conv = layers(b);
    const origin = b.add("HardSwish", [conv("first", input("x"), 4, 4)]);
    const moved = b.add("Transpose", [origin], { perm: attribute.ints([0, 1, 3, 2]) });
    const sum = b.add("Add", [conv("one", moved, 4, 4), conv("two", origin, 4, 4)]);
    return { y: conv("head", b.add("Add", [sum, conv("three", moved, 4, 4)]), 4, 4) };
  });
  const graph = await quantized(quantizeStatic, float, {});
  const feeds = feedsOf(float, 1);
  expect(agreement(await run(float, feeds), await run(graph, feeds))).toBeGreaterThan(20);
});

it("joins no float for its few channels, and rounds no constant of many with one scale", async () => {
  const inputs = { x: ["float32", 1, 3, 8, 8], depth: ["float32", 1, 1, 8, 8] } as const;
  const float = graphOf(inputs, (input, b) => {
    const conv = layers(b);
    const far = b.add("Tanh", [input("depth")]);
    b.editor.rename(far, "far");
    const parts = [conv("a", input("x"), 3, 8), far];
    const joined = b.add("Concat", parts, { axis: attribute.int(1) });
    const scaled = b.add("Mul", [conv("c", joined, 9, 8), b.weights(1, 8, 1, 1)]);
    return { y: conv("head", scaled, 8, 4) };
  });
  const graph = await quantized(quantizeStatic, float, {});
  expect(roundedIn(graph)).not.toContain("far");
  const scaled = [...graph.allNodes()].find(({ op }) => op === "Mul");
  expect(graph.constant(scaled?.inputs[1])?.dtype).toBe("float32");
});

it("leaves a sum of what products of matrices give float, as they give floats", async () => {
  const float = graphOf({ x: ["float32", 1, 6, 16] }, (input, b) => {
    const first = b.add("MatMul", [input("x"), b.weights(16, 16)]);
    const sum = b.add("Add", [first, b.add("MatMul", [b.add("Tanh", [first]), b.weights(16, 16)])]);
    b.editor.rename(sum, "sum");
    return { y: b.add("MatMul", [sum, b.weights(16, 8)]), z: b.add("Tanh", [sum]) };
  });
  const graph = await quantized(quantizeStatic, float, {});
  const [sum] = [...graph.allNodes()].filter(({ op }) => op === "Add");
  for (const input of sum?.inputs ?? [])
    expect(input !== null && graph.producer(input)?.op).toBe("MatMul");
});
