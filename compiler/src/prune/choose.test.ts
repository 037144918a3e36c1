import { describe, expect, it, vi } from "vitest";
import { countMacs } from "../analysis/index.js";
import { attribute, Graph } from "../ir/index.js";
import { either, graphOf } from "../rules/rule-case.test.support.js";
import { planPruning, type PruneWish } from "./prune.js";

const wish: PruneWish = {
  keep: 0.6,
  where: "keepFlops",
  scope: "global",
  multiple: 1,
  measure: "macs",
  importance: "magnitude",
};

describe("a share of the multiply-accumulates", () => {
  it("is one at a size that is enough for all windows, as those of wav2vec2", async () => {
    const network = (length: number | string) =>
      graphOf({ x: ["float32", 1, 1, length] }, (input, b) => {
        let last = input("x");
        for (const [at, kernel] of [10, 3, 3, 3, 3, 2, 2].entries()) {
          const strides = { strides: attribute.ints([at === 0 ? 5 : 2]) };
          const weights = b.weights(16, at === 0 ? 1 : 16, kernel);
          last = b.add("Relu", [b.add("Conv", [last, weights], strides)]);
        }
        return { y: last };
      });
    const { before, after } = await planPruning(network("L"), wish);
    expect(before).toBe(countMacs(network(512)));
    expect(after).toBeLessThanOrEqual(0.6 * before);
    expect(after).toBeGreaterThan(0.5 * before);
  });

  it("is found where it takes channels of both branches, of which only the dearer counts", async () => {
    const graph = graphOf({ c: ["bool"], x: ["float32", 1, 3, 4, 4] }, (input, b) => {
      const branch = (one: typeof b) => {
        const hidden = one.add("Conv", [input("x"), one.weights(16, 3, 1, 1)]);
        return one.add("Conv", [one.add("Relu", [hidden]), one.weights(2, 16, 1, 1)]);
      };
      return { y: either(b, input("c"), branch, branch) };
    });
    const { cuts, before, after } = await planPruning(graph, { ...wish, keep: 0.5 });
    expect(after).toBe(0.5 * before);
    expect(cuts.map(({ gone }) => gone.length)).toEqual([8, 8]);
  });

  it("takes nothing of a branch that is the cheaper one in any case", async () => {
    const graph = graphOf({ c: ["bool"], x: ["float32", 1, 3, 4, 4] }, (input, b) => {
      const branchOf = (channels: number) => (one: typeof b) => {
        const hidden = one.add("Conv", [input("x"), one.weights(channels, 3, 1, 1)]);
        return one.add("Conv", [one.add("Relu", [hidden]), one.weights(2, channels, 1, 1)]);
      };
      return { y: either(b, input("c"), branchOf(32), branchOf(8)) };
    });
    const { cuts } = await planPruning(graph, { ...wish, keep: 0.5 });
    expect(cuts.map(({ group, gone }) => [group.units, gone.length])).toEqual([[32, 16]]);
  });

  it.each([
    [4, "depends on what a run finds", "Ask for a share of the parameters, with --keep-params."],
    ["n", "is not known", "or give the inputs' sizes with --shape or --dim"],
  ])("says why work cannot be counted: inputs of %s by 3", async (size, why, hint) => {
    const graph = graphOf({ x: ["float32", size, 3], low: ["float32", 1] }, (input, b) => {
      const positive = b.add("Greater", [b.add("ReduceMax", [input("x"), b.ints([1])], { keepdims: attribute.int(0) }), input("low")]); // prettier-ignore
      const found = b.add("GatherND", [input("x"), b.add("Transpose", [b.add("NonZero", [positive])])]); // prettier-ignore
      return { y: b.add("MatMul", [b.add("Relu", [b.add("MatMul", [found, b.weights(3, 8)])]), b.weights(8, 2)]) }; // prettier-ignore
    });
    await expect(planPruning(graph, wish)).rejects.toMatchObject({
      code: "UNSUPPORTED_OP",
      message: expect.stringContaining(`that of MatMul ${why}`),
      hint: expect.stringContaining(hint),
    });
  });
});

describe("a share of the parameters", () => {
  it("looks at twice as much of twice as many layers", async () => {
    const looked = async (layers: number) => {
      const graph = graphOf({ x: ["float32", 1, 4] }, (input, b) => {
        let last = input("x");
        for (let layer = 0; layer < layers; layer += 1)
          last = b.add("Relu", [b.add("MatMul", [last, b.weights(4, 4)])]);
        return { y: last };
      });
      const node = vi.spyOn(Graph.prototype, "node");
      await planPruning(graph, { ...wish, measure: "parameters" });
      const { length } = node.mock.calls;
      node.mockRestore();
      return length;
    };
    const [one, two] = [await looked(64), await looked(128)];
    expect(one).toBeGreaterThan(64);
    expect(two).toBeLessThan(2.1 * one);
  });
});
