import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attribute, type Graph, type ValueId } from "../ir/index.js";
import { type Builder, graphOf } from "../rules/rule-case.test.support.js";
import { layerKinds, type Stack, stackOf } from "./random-stack.test.support.js";
import { repeatedLayers } from "./repeated-layers.js";

const stacks: fc.Arbitrary<Stack> = fc.record({
  groups: fc
    .tuple(fc.shuffledSubarray([...layerKinds], { minLength: 1, maxLength: 2 }), fc.nat(1e6))
    .map(([kinds, drawn]) =>
      kinds.map((kind, index) => ({ kind, count: 2 + (Math.floor(drawn / 10 ** index) % 4) })),
    ),
  normed: fc.boolean(),
  seed: fc.nat(1e9),
});

describe("repeated layers", () => {
  it("are found in any stack, from what enters each to what leaves it", () => {
    let found = 0;
    fc.assert(
      fc.property(stacks, (drawn) => {
        const { graph, layers } = stackOf(drawn);
        expect(repeatedLayers(graph)).toEqual(layers);
        found += layers.length;
      }),
      { numRuns: 60 },
    );
    expect(found).toBeGreaterThan(150);
  });

  it("are several kinds together, where those take turns", () => {
    const turns = ["perceptron", "gated", "perceptron", "gated", "perceptron", "gated"] as const;
    const groups = turns.map((kind) => ({ kind, count: 1 }));
    const { graph, layers } = stackOf({ groups, normed: false, seed: 5 });
    const inputs = [0, 2, 4].map((index) => layers[index]?.input);
    expect(repeatedLayers(graph).map(({ input }) => input)).toEqual(inputs);
  });

  it("stand on both sides where an encoder's layers feed all of a decoder's", () => {
    const graph = tower((b, x, w) => {
      let memory = b.add("MatMul", [x, w(4, 4)]);
      let value = b.add("MatMul", [x, w(4, 4)]);
      for (let index = 0; index < 3; index += 1) memory = residual(b, memory, w);
      for (let index = 0; index < 2; index += 1) {
        const beside = b.add("MatMul", [memory, w(4, 4)]);
        value = b.add("Add", [value, b.add("Mul", [b.add("MatMul", [value, w(4, 4)]), beside])]);
      }
      return value;
    });
    expect(repeatedLayers(graph)).toHaveLength(5);
  });

  it("stand in each stage of a residual network that repeats its blocks, from rectifier to rectifier", () => {
    const graph = graphOf({ x: ["float32", "N", 3, 8, 8] }, (input, b) => {
      const conv = (of: ValueId, from: number, to: number, stride = 1): ValueId =>
        b.add("Conv", [of, b.weights(to, from, 3, 3), b.weights(to)], {
          pads: attribute.ints([1, 1, 1, 1]),
          strides: attribute.ints([stride, stride]),
        });
      const relu = (of: ValueId): ValueId => b.add("Relu", [of]);
      const block = (of: ValueId, width: number): ValueId =>
        relu(b.add("Add", [conv(relu(conv(of, width, width)), width, width), of]));
      let value = relu(conv(input("x"), 3, 4));
      for (let index = 0; index < 3; index += 1) value = block(value, 4);
      const beside = conv(value, 4, 6, 2);
      value = relu(b.add("Add", [conv(relu(conv(value, 4, 6, 2)), 6, 6), beside]));
      for (let index = 0; index < 2; index += 1) value = block(value, 6);
      return { y: b.add("GlobalAveragePool", [value]) };
    });
    const layers = repeatedLayers(graph);
    expect(layers).toHaveLength(5);
    for (const { input, output } of layers)
      for (const id of [input, output]) expect(graph.producer(id)?.op).toBe("Relu");
  });

  it("are the inner ones where they lie in layers and are more", () => {
    const graph = tower((b, x, w) => {
      let value = x;
      for (let outer = 0; outer < 2; outer += 1) {
        let inner = b.add("MatMul", [value, w(4, 4)]);
        for (let index = 0; index < 3; index += 1) inner = residual(b, inner, w);
        value = b.add("Add", [value, b.add("MatMul", [inner, w(4, 4)])]);
      }
      return value;
    });
    expect(repeatedLayers(graph)).toHaveLength(6);
  });

  it.each<[string, (b: Builder, x: ValueId, w: Builder["weights"]) => ValueId, number?]>([
    [
      "no stream",
      (b, x, w) => {
        let value = x;
        for (let index = 0; index < 4; index += 1)
          value = b.add("Relu", [b.add("MatMul", [value, w(4, 4)])]);
        return value;
      },
    ],
    ["one layer", (b, x, w) => residual(b, x, w)],
    [
      "layers that differ in an attribute",
      (b, x, w) => {
        let value = x;
        for (const alpha of [0.1, 0.2, 0.3]) {
          const inner = b.add("LeakyRelu", [b.add("MatMul", [value, w(4, 4)])], {
            alpha: attribute.float(alpha),
          });
          value = b.add("Add", [value, inner]);
        }
        return value;
      },
    ],
    [
      "layers that each read another value beside",
      (b, x, w) => {
        let value = x;
        let beside = b.add("Abs", [x]);
        for (let index = 0; index < 3; index += 1) {
          const inner = b.add("Mul", [b.add("MatMul", [value, w(4, 4)]), beside]);
          beside = b.add("Sqrt", [beside]);
          value = b.add("Add", [value, inner]);
        }
        return b.add("Add", [value, beside]);
      },
    ],
    [
      "layers that give something else as well",
      (b, x, w) => {
        let [value, sum] = [x, x];
        for (let index = 0; index < 3; index += 1) {
          const inner = b.add("MatMul", [value, w(4, 4)]);
          sum = b.add("Max", [sum, inner]);
          value = b.add("Add", [value, inner]);
        }
        return b.add("Add", [value, sum]);
      },
    ],
    [
      "layers of other sizes",
      (b, x, w) => {
        let value = x;
        for (let index = 0; index < 3; index += 1) {
          value = residual(b, value, w);
          value = b.add("Concat", [value, value], { axis: attribute.int(0) });
        }
        return value;
      },
    ],
  ])("are not found where there is %s", (_, build) => {
    expect(repeatedLayers(tower(build))).toEqual([]);
  });

  it("are found on a stream of thousands", () => {
    const deep = tower((b, x, w) => {
      let [value, weight] = [x, w(4, 4)];
      for (let index = 0; index < 3000; index += 1) {
        const inner = b.add("MatMul", [value, weight]);
        value = index % 2 === 0 ? b.add("Add", [value, inner]) : b.add("Max", [inner, value, x]);
      }
      return value;
    });
    // What x enters first is read by all: the first sum begins no layer.
    expect(repeatedLayers(deep)).toHaveLength(1499);
  });
});

function residual(b: Builder, x: ValueId, w: Builder["weights"]): ValueId {
  return b.add("Add", [
    x,
    b.add("MatMul", [b.add("Relu", [b.add("MatMul", [x, w(4, 6)])]), w(6, 4)]),
  ]);
}

function tower(build: (b: Builder, x: ValueId, w: Builder["weights"]) => ValueId): Graph {
  return graphOf({ x: ["float32", "N", 4] }, (input, b) => ({
    y: build(b, input("x"), (...dims) => b.weights(...dims)),
  }));
}
