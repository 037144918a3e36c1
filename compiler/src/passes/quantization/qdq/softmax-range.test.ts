import { expect, it } from "vitest";
import { attribute, type Graph } from "../../../ir/index.js";
import { graphOf } from "../../../rules/rule-case.test.support.js";
import { quantizeStatic } from "../../quantize-static.js";
import { agreement, feedsOf, quantized, run } from "../engine-case.test.support.js";

/** Shares of two, none of them near 1, between convolutions. */
function sharing(): Graph {
  return graphOf({ x: ["float32", 1, 3, 4, 4] }, (input, b) => {
    const weights = b.floats([0.1, -0.1, 0.1, -0.1, 0.05, 0.05], [2, 3, 1, 1]);
    const conv = b.add("Conv", [input("x"), weights]);
    const shares = b.add("Softmax", [conv], { axis: attribute.int(1) });
    return { y: b.add("Conv", [shares, b.weights(2, 2, 1, 1)]), shares };
  });
}

it.each([{}, { ops: "all" }, { ops: "all", activationBits: 7 }])(
  "rounds shares to no finer steps than the engine counts in (%o)",
  async (options) => {
    const float = sharing();
    const feeds = feedsOf(float);
    const expected = await run(float, feeds);
    expect(Math.max(...Array.from(expected["shares"]?.data ?? [], Number))).toBeLessThan(0.8);
    const graph = await quantized(quantizeStatic, float, options);
    expect(agreement(expected, await run(graph, feeds))).toBeGreaterThan(25);
  },
);

it("takes shares to reach from 0 to 1 as onnxruntime's Python quantizer does", async () => {
  const graph = await quantized(quantizeStatic, sharing(), { ops: "all" });
  const scale = [...graph.main.initializers]
    .map((value) => graph.value(value))
    .find(({ name }) => name === "shares_scale");
  expect(scale?.constant?.numbers()).toEqual([Math.fround(1 / 255)]);
});

it("does so where a Clip behind them was let go", async () => {
  const float = graphOf({ x: ["float32", 1, 2] }, (input, b) => {
    const shares = b.add("Softmax", [b.add("Mul", [input("x"), b.floats([0.1])])]);
    return { y: b.add("Clip", [shares, b.floats([1e-7]), b.floats([1])]) };
  });
  const feeds = feedsOf(float);
  const graph = await quantized(quantizeStatic, float, { ops: "all" });
  expect(agreement(await run(float, feeds), await run(graph, feeds))).toBeGreaterThan(25);
});
