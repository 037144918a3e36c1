import { describe, expect, it } from "vitest";
import { attribute } from "../../ir/index.js";
import {
  type Case,
  checked,
  checkGradients,
  tolerance,
} from "../../train/gradient-check.test.support.js";
import { one } from "./case.test.support.js";

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

describe("BatchNormalization in training for WebGPU, written out", () => {
  it("gives the same gradients", async () => {
    const results = await checked(ofBatches, "cpu", "webgpu");
    for (const { error, where } of results) expect(error, where).toBeLessThan(tolerance);
  });
});
