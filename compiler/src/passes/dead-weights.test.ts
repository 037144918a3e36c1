import { expect, it } from "vitest";
import { countMacs } from "../analysis/index.js";
import { type Graph, Tensor, type ValueId } from "../ir/index.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { feedsOf, run } from "./quantization/engine-case.test.support.js";
import { simplifyGraph } from "./simplify.js";

/** Weights of a product, of which some are no normal floats. */
function decayed(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, at) => (at % 3 === 0 ? 1e-40 : Math.sin(at)));
}

async function weightsIn(graph: Graph, name: string): Promise<readonly number[]> {
  const [found] = [...graph.allValues()].filter((value) => value.name === name);
  return Array.from((await found?.constant?.read()) ?? [], Number);
}

function constant(graph: Graph, name: string): ValueId | undefined {
  return [...graph.allValues()].find((value) => value.name === name)?.id;
}

it("lets weights that are no normal floats become 0, and computes the same", async () => {
  const graph = graphOf({ x: ["float32", 2, 9] }, (x, b) => {
    const weights = b.editor.constant(
      "w",
      Tensor.float32([9, 4], decayed(36)),
      b.editor.graph.main,
    );
    const scale = b.editor.constant("s", Tensor.float32([4], decayed(4)), b.editor.graph.main);
    // Nothing multiplies with it: an angle, or what is divided by, may be as small.
    return { y: b.add("Atan", [b.add("Max", [b.add("MatMul", [x("x"), weights]), scale])]) };
  });
  const feeds = feedsOf(graph, 1);
  const before = await run(graph, feeds);
  await simplifyGraph(graph, {});
  expect(await run(graph, feeds)).toEqual(before);
  const weights = await weightsIn(graph, "w");
  expect(weights.filter((x) => x === 0)).toHaveLength(12);
  expect(weights.filter((x) => x !== 0)).toEqual([...decayed(36)].filter((_, at) => at % 3 !== 0));
  expect((await weightsIn(graph, "s"))[0]).toBe(Math.fround(1e-40));
  expect(graph.journal).toContainEqual(
    expect.objectContaining({
      rule: "flush-subnormals",
      reason: "12 weights that are no normal floats became 0",
    }),
  );
});

it("takes channels out that no weight reads, in multiples of sixteen", async () => {
  const graph = graphOf({ x: ["float32", 1, 3, 6, 6] }, (x, b) => {
    const reading = Float32Array.from({ length: 8 * 48 * 9 }, (_, at) =>
      Math.floor(at / 9) % 48 < 30 ? Math.sin(at) : at % 2 === 0 ? 0 : 1e-41,
    );
    const first = b.add("Relu", [b.add("Conv", [x("x"), b.weights(48, 3, 3, 3), b.weights(48)])]);
    return {
      y: b.add("Conv", [
        first,
        b.editor.constant("r", Tensor.float32([8, 48, 3, 3], reading), b.editor.graph.main),
      ]),
    };
  });
  const feeds = feedsOf(graph, 1);
  const [before, macs] = [await run(graph, feeds), countMacs(graph) ?? 0];
  await simplifyGraph(graph, {});
  const after = await run(graph, feeds);
  for (const [at, value] of (before.y?.data ?? []).entries())
    expect(Number(after.y?.data[at])).toBeCloseTo(Number(value), 4);
  const reader = constant(graph, "r");
  expect(reader === undefined ? undefined : graph.constant(reader)?.dims).toEqual([8, 32, 3, 3]);
  expect(countMacs(graph)).toBeCloseTo((macs * 32) / 48, 0);
});
