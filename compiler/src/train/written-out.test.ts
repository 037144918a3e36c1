import { expect, it } from "vitest";
import { attribute, type Graph, type ValueId } from "../ir/index.js";
import { type Builder, graphOf } from "../rules/rule-case.test.support.js";
import { learnedConstants } from "./parameters.js";

/** What is learned, by the operator that reads it, of the dims that tell one from the other here. */
const learned = (graph: Graph): readonly string[] =>
  learnedConstants(graph).map(
    ({ as, reader, tensor }) => `${as} of ${reader.op} [${tensor.dims.join()}]`,
  );

function ofX(
  dims: readonly number[],
  make: (x: ValueId, b: Builder) => ValueId,
): readonly string[] {
  return learned(graphOf({ x: ["float32", ...dims] }, (input, b) => ({ y: make(input("x"), b) })));
}

it("is the bias that a convolution or a product adds behind itself", () => {
  const conv = (bias: readonly number[]): readonly string[] =>
    ofX([1, 3, 8, 8], (x, b) =>
      b.add("Add", [b.add("Conv", [x, b.weights(5, 3, 3, 3)]), b.weights(...bias)]),
    );
  for (const bias of [
    [1, 5, 1, 1],
    [5, 1, 1],
  ])
    expect(conv(bias)).toContain(`bias of Add [${bias.join()}]`);
  // Of places, and of what has a bias.
  for (const other of [[1, 1, 6, 1], [6], [1, 5, 6, 6]])
    expect(conv(other)).toEqual(["weight of Conv [5,3,3,3]"]);
  const twice = ofX([1, 3, 8, 8], (x, b) => {
    const own = b.add("Conv", [x, b.weights(5, 3, 3, 3), b.weights(5)]);
    return b.add("Add", [own, b.weights(1, 5, 1, 1)]);
  });
  expect(twice).toHaveLength(2);
});

it("is what scales and shifts behind a norm that is written out", () => {
  const norm = (root: (variance: ValueId, x: ValueId, b: Builder) => ValueId): readonly string[] =>
    ofX([2, 6], (x, b) => {
      const over = b.ints([-1]);
      const centred = b.add("Sub", [x, b.add("ReduceMean", [x, over])]);
      const variance = b.add("ReduceMean", [b.add("Mul", [centred, centred]), over]);
      const scaled = b.add("Mul", [root(variance, centred, b), b.weights(6)]);
      return b.add("Add", [scaled, b.weights(6)]);
    });
  const both = ["scale of Mul [6]", "bias of Add [6]"];
  expect(norm((v, x, b) => b.add("Div", [x, b.add("Sqrt", [v])]))).toEqual(both);
  expect(norm((v, x, b) => b.add("Mul", [x, b.add("Reciprocal", [b.add("Sqrt", [v])])]))).toEqual(
    both,
  );
  expect(
    norm((v, x, b) => b.add("Mul", [x, b.add("Div", [b.floats([1]), b.add("Sqrt", [v])])])),
  ).toEqual(both);
  // Divided by what is no root.
  expect(norm((v, x, b) => b.add("Div", [x, v]))).toEqual([]);
});

it("is what scales and shifts channels whose groups were normalized", () => {
  const groups = ofX([1, 6, 4, 4], (x, b) => {
    const apart = b.add("Reshape", [x, b.ints([0, 2, -1])]);
    const normed = b.add("InstanceNormalization", [apart, b.weights(2), b.weights(2)]);
    const whole = b.add("Reshape", [normed, b.ints([1, 6, 4, 4])]);
    return b.add("Add", [b.add("Mul", [whole, b.weights(6, 1, 1)]), b.weights(6, 1, 1)]);
  });
  // The groups' own numbers are ones and zeros that the exporter made up.
  expect(groups).toEqual(["scale of Mul [6,1,1]", "bias of Add [6,1,1]"]);
});

it("is no mask of scores that are divided by the root of a size", () => {
  const scores = (mask: number, times: number): readonly string[] =>
    ofX([2, 16], (x, b) => {
      const size = b.add("Cast", [b.add("Size", [x])], { to: attribute.int(1) });
      const scaled = b.add("Div", [x, b.add("Sqrt", [size])]);
      const masked = b.add("Add", [
        scaled,
        b.floats([...Array.from({ length: 15 }, () => 0), mask]),
      ]);
      return b.add("Mul", [masked, b.floats([times])]);
    });
  expect(scores(-10_000, 16)).toEqual([]);
  expect(scores(-1, 16)).toEqual([]);
  const cosine = ofX([2, 16], (x, b) => {
    const length = b.add("Sqrt", [b.add("ReduceSum", [b.add("Mul", [x, x]), b.ints([-1])])]);
    const unit = b.add("Div", [x, length]);
    return b.add("Add", [b.add("Mul", [unit, b.floats([16])]), b.floats([0, -1e5], [2, 1])]);
  });
  expect(cosine).toEqual([]);
});

it("is no number that scales a sum, and no strides", () => {
  const strides = ofX([1, 3, 8, 8], (x, b) => {
    const conv = b.add("Conv", [x, b.weights(5, 3, 3, 3), b.weights(5)]);
    const flat = b.add("Flatten", [conv], { axis: attribute.int(1) });
    return b.add("Mul", [b.add("Sigmoid", [flat]), b.weights(180)]);
  });
  expect(strides).toHaveLength(2);
});
