import { expect, it } from "vitest";
import { attribute, type Graph, type ValueId } from "../../../ir/index.js";
import { type Builder, graphOf } from "../../../rules/rule-case.test.support.js";
import { quantizeStatic } from "../../quantize-static.js";
import { agreement, calibrationOn, feedsOf, quantized, run } from "../engine-case.test.support.js";
import { roundedIn } from "./rounded-in.test.support.js";

const pads = { pads: attribute.ints([1, 1, 1, 1]) };

/** A value of the name by which the test speaks of it. */
function named(b: Builder, name: string, id: ValueId): ValueId {
  b.editor.rename(id, name);
  return id;
}

/** A residual block, a gate, a mean, a product; a head that stays a convolution. */
function network(): Graph {
  return graphOf({ x: ["float32", 1, 3, 8, 8] }, (input, b) => {
    const conv = (name: string, x: ValueId, from: number, to: number): ValueId =>
      named(b, name, b.add("Conv", [x, b.weights(to, from, 3, 3), b.weights(to)], pads));
    const first = named(b, "first", b.add("Relu", [conv("a", input("x"), 3, 8)]));
    const inner = named(b, "inner", b.add("HardSwish", [conv("b", first, 8, 8)]));
    const sum = named(b, "sum", b.add("Add", [conv("c", inner, 8, 8), first]));
    const block = named(b, "block", b.add("Relu", [sum]));
    const mean = named(b, "mean", b.add("GlobalAveragePool", [block]));
    const scale = named(b, "scale", b.add("Conv", [mean, b.weights(8, 8, 1, 1)]));
    const gate = named(b, "gate", b.add("Sigmoid", [scale]));
    const gated = named(b, "gated", b.add("Mul", [block, gate]));
    const head = conv("head", gated, 8, 4);
    return { y: b.add("Tanh", [head]) };
  });
}

const options = { activationBits: 7, reduceRange: false, between: "integers" };

it("rounds what integer nodes and what lies between them read, and what is added to an earlier one in place", async () => {
  const float = network();
  const graph = await quantized(quantizeStatic, float, options);
  // `a` and `sum` are rounded behind their rectifiers, `b` behind its function; `c` goes into the sum as it is; `head` is
  // read by no integer node.
  expect(roundedIn(graph)).toEqual(
    ["block", "first", "gate", "gated", "inner", "mean", "scale", "x"].sort(),
  );
  const feeds = feedsOf(float, 1);
  expect(agreement(await run(float, feeds), await run(graph, feeds))).toBeGreaterThan(20);
});

it("keeps seven bits of an activation by bounds of its own", async () => {
  const graph = await quantized(quantizeStatic, network(), options, calibrationOn(network()));
  for (const node of graph.allNodes()) {
    if (node.op !== "QuantizeLinear") continue;
    const [output] = node.outputs;
    const readers = output === null || output === undefined ? [] : graph.consumers(output);
    expect(readers.map(({ op }) => op)).toEqual(["Clip"]);
    expect(graph.constant(readers[0]?.inputs[2])?.numbers()).toEqual([127]);
    expect(graph.constant(node.inputs[2])?.numbers()?.[0]).toBeLessThan(128);
  }
});

it("leaves float what is added to what is there before: moved, or made by another convolution", async () => {
  const float = graphOf({ x: ["float32", 1, 3, 8, 8] }, (input, b) => {
    const conv = (name: string, x: ValueId, from: number, to: number): ValueId =>
      named(b, name, b.add("Conv", [x, b.weights(to, from, 3, 3), b.weights(to)], pads));
    const first = named(b, "first", b.add("Relu", [conv("a", input("x"), 3, 4)]));
    const wide = conv("wide", first, 4, 8);
    const padded = named(b, "padded", b.add("Pad", [first, b.ints([0, 0, 0, 0, 0, 4, 0, 0])]));
    const sum = named(b, "sum", b.add("Add", [wide, padded]));
    const long = conv("long", conv("inner", sum, 8, 8), 8, 8);
    const short = conv("short", sum, 8, 8);
    const joined = named(b, "joined", b.add("Add", [long, short]));
    return { y: conv("head", joined, 8, 4) };
  });
  const graph = await quantized(quantizeStatic, float, options);
  // `wide` comes behind `first`, of which `padded` is made; `short` behind `long`.
  expect(roundedIn(graph)).toEqual(["first", "inner", "joined", "long", "padded", "sum", "x"]);
  const feeds = feedsOf(float, 1);
  expect(agreement(await run(float, feeds), await run(graph, feeds))).toBeGreaterThan(20);
});
