import { expect, it } from "vitest";
import { attribute, type ValueId } from "../../ir/index.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { compare } from "../run-model.test.support.js";

const normal = (b: Builder, x: ValueId, dims: readonly number[], axis: number): ValueId => {
  const own = dims.slice(axis);
  return b.add("LayerNormalization", [x, b.weights(...own), b.weights(...own)], {
    axis: attribute.int(axis - dims.length),
    epsilon: attribute.float(0.1),
  });
};

it.each([
  { dims: [1, 8, 6, 6], pads: [1, 1, 1, 1] },
  { dims: [2, 3, 5, 6], pads: [0, 1, 0, 1] },
  { dims: [1, 8, 9], pads: [1, 1] },
])("normalizes several axes of $dims before a convolution with pads", async ({ dims, pads }) => {
  const graph = graphOf({ x: ["float32", ...dims] }, (input, b) => {
    const kernel = dims.slice(2).map(() => 3);
    const weights = b.weights(5, dims[1] ?? 1, ...kernel);
    const y = b.add("Conv", [normal(b, input("x"), dims, 1), weights], {
      pads: attribute.ints(pads),
    });
    return { y };
  });
  expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-5);
});

it.each([0, 1, 2])("normalizes several axes of what is joined along axis %i", async (axis) => {
  const dims = [2, 3, 4];
  const graph = graphOf({ x: ["float32", ...dims] }, (input, b) => {
    const both = [normal(b, input("x"), dims, 1), b.add("Neg", [input("x")])];
    const y = b.add("Concat", both, { axis: attribute.int(axis) });
    return { y: b.add("Tanh", [y]) };
  });
  expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-5);
});

it.each([[[3, 1]], [[1, 3, 1]], [[2, 3, 4, 1]], [[1, 1]], [[5, 2]]])(
  "normalizes rows of few elements, or of one: %j",
  async (dims) => {
    const graph = graphOf({ x: ["float32", ...dims] }, (input, b) => ({
      y: b.add("Tanh", [normal(b, b.add("Neg", [input("x")]), dims, dims.length - 1)]),
    }));
    expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-5);
  },
);
