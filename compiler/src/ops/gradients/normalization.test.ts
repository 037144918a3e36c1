import { describe, expect, it } from "vitest";
import { attribute } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import {
  type Case,
  checked,
  checkGradients,
  floatsOf,
  load,
  tolerance,
  withGradients,
} from "../../train/gradient-check.test.support.js";
import { one, only } from "./case.test.support.js";

const { int, float } = attribute;

/** In training mode, over statistics of its own. */
function ofBatch(momentum: number): Case["build"] {
  return (inputs, { add, floats }) =>
    add("BatchNormalization", [...inputs, floats([0, 0, 0]), floats([1, 1, 1])], {
      training_mode: int(1),
      momentum: float(momentum),
    });
}

const ofBatches: readonly Case[] = [
  {
    name: "BatchNormalization in training",
    shapes: [[4, 3, 3, 3], [3], [3]],
    build: ofBatch(0),
  },
  {
    name: "BatchNormalization in training, of rows",
    shapes: [[6, 3], [3], [3]],
    build: ofBatch(0),
  },
  {
    name: "BatchNormalization in training, with a momentum",
    shapes: [[4, 3, 3], [3], [3]],
    build: ofBatch(0.9),
  },
];

checkGradients("gradients of normalizations", [
  ...ofBatches,
  {
    name: "BatchNormalization with fixed statistics",
    shapes: [[2, 3, 4, 4], [3], [3], [3], [3]],
    build: one("BatchNormalization", { epsilon: float(0.01) }),
    values: ["normal", "normal", "normal", "normal", "positive"],
  },
  { name: "LayerNormalization", shapes: [[2, 4, 8], [8], [8]], build: one("LayerNormalization") },
  {
    name: "LayerNormalization of two axes",
    shapes: [
      [2, 4, 8],
      [4, 8],
      [4, 8],
    ],
    build: one("LayerNormalization", { axis: int(1) }),
  },
  {
    name: "LayerNormalization without a bias",
    shapes: [[2, 4, 8], [8]],
    build: one("LayerNormalization"),
  },
  {
    name: "InstanceNormalization",
    shapes: [[2, 3, 4, 4], [3], [3]],
    build: one("InstanceNormalization"),
  },
  {
    name: "GroupNormalization",
    shapes: [[2, 4, 3, 3], [4], [4]],
    build: one("GroupNormalization", { num_groups: int(2) }),
  },
  {
    name: "LRN",
    shapes: [[2, 5, 3, 3]],
    build: one("LRN", { size: int(3), alpha: float(0.5), beta: float(0.75) }),
  },
  { name: "LpNormalization", shapes: [[3, 4, 2]], build: one("LpNormalization", { axis: int(1) }) },
  {
    name: "LpNormalization of amounts",
    shapes: [[3, 4]],
    build: one("LpNormalization", { p: int(1) }),
    values: "kinked",
  },
  ...[-1, 1, 0].flatMap((axis): Case[] =>
    ["Softmax", "LogSoftmax"].map((op) => ({
      name: `${op} of axis ${axis}`,
      shapes: [[3, 5, 2]],
      build: one(op, { axis: int(axis) }),
    })),
  ),
]);

describe("LpNormalization of a row of zeros", () => {
  it.each([1, 2])("has a gradient of 0, not NaN: norm %i", async (p) => {
    const graph = graphOf({ x: ["float32", 2, 2] }, (input, { add }) => ({
      y: add("LpNormalization", [input("x")], { p: int(p) }),
    }));
    withGradients(graph, "cpu");
    const session = await load(graph);
    const floats = (...values: readonly number[]) =>
      ({ type: "float32", dims: [2, 2], data: Float32Array.from(values) }) as const;
    const results = await session.run({
      x: floats(0, 0, 3, 4),
      "weights of y": floats(1, 2, 1, 2),
    });
    await session.dispose();
    const gradient = floatsOf(results["x.gradient"]);
    expect([...gradient.subarray(0, 2)]).toEqual([0, 0]);
    expect(Math.hypot(...gradient)).toBeGreaterThan(0.01);
  });
});

describe("LayerNormalization", () => {
  it.each([1, 2])("is refused where the loss depends on output %i", (index) => {
    const graph = graphOf({ x: ["float32", 2, 4] }, (input, { many, weights }) => {
      const outputs = many("LayerNormalization", 3, [input("x"), weights(4), weights(4)]);
      return { y: only(outputs[0]), statistic: only(outputs[index]) };
    });
    expect(() => withGradients(graph, "cpu")).toThrow(
      /LayerNormalization .* has no gradient: the loss depends on its mean or its deviation/,
    );
  });
});

describe("BatchNormalization in training for WebGPU, written out", () => {
  it("gives the same gradients", async () => {
    const results = await checked(ofBatches, "cpu", "webgpu");
    for (const { error, where } of results) expect(error, where).toBeLessThan(tolerance);
  });
});
