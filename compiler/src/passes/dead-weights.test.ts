import { expect, it } from "vitest";
import { countMacs } from "../analysis/index.js";
import type { Graph, ValueId } from "../ir/index.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { feedsOf, run } from "./quantization/engine-case.test.support.js";
import { simplifyGraph } from "./simplify.js";

/** Weights of a product, of which some are no normal floats. */
function decayed(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, at) => (at % 3 === 0 ? 1e-40 : Math.sin(at)));
}

async function numbersOf(graph: Graph, id: ValueId | undefined): Promise<readonly number[]> {
  return Array.from((await graph.constant(id)?.read()) ?? [], Number);
}

it("lets weights that are no normal floats become 0, and computes the same", async () => {
  const ids: ValueId[] = [];
  const graph = graphOf({ x: ["float32", 2, 9] }, (x, b) => {
    const [weights, scale] = [b.floats([...decayed(36)], [9, 4]), b.floats([...decayed(4)])];
    ids.push(weights, scale);
    // Nothing multiplies with the other: an angle, or what is divided by, may be as small.
    return { y: b.add("Atan", [b.add("Max", [b.add("MatMul", [x("x"), weights]), scale])]) };
  });
  const feeds = feedsOf(graph, 1);
  const before = await run(graph, feeds);
  await simplifyGraph(graph, {});
  expect(await run(graph, feeds)).toEqual(before);
  const weights = await numbersOf(graph, ids[0]);
  expect(weights.filter((x) => x === 0)).toHaveLength(12);
  expect(weights.filter((x) => x !== 0)).toEqual([...decayed(36)].filter((_, at) => at % 3 !== 0));
  expect((await numbersOf(graph, ids[1]))[0]).toBe(Math.fround(1e-40));
  expect(graph.journal).toContainEqual(
    expect.objectContaining({
      rule: "flush-subnormals",
      reason: "12 weights that are no normal floats became 0",
    }),
  );
});

it("takes channels out that no weight reads, in multiples of sixteen", async () => {
  const ids: ValueId[] = [];
  const graph = graphOf({ x: ["float32", 1, 3, 6, 6] }, (x, b) => {
    const reading = Float32Array.from({ length: 8 * 48 * 9 }, (_, at) =>
      Math.floor(at / 9) % 48 < 30 ? Math.sin(at) : at % 2 === 0 ? 0 : 1e-41,
    );
    const first = b.add("Relu", [b.add("Conv", [x("x"), b.weights(48, 3, 3, 3), b.weights(48)])]);
    ids.push(b.floats([...reading], [8, 48, 3, 3]));
    return { y: b.add("Conv", [first, ids[0] ?? null]) };
  });
  const feeds = feedsOf(graph, 1);
  const [before, macs] = [await run(graph, feeds), countMacs(graph) ?? 0];
  await simplifyGraph(graph, {});
  const after = await run(graph, feeds);
  for (const [at, value] of (before.y?.data ?? []).entries())
    expect(Number(after.y?.data[at])).toBeCloseTo(Number(value), 4);
  expect(graph.constant(ids[0])?.dims).toEqual([8, 32, 3, 3]);
  expect(countMacs(graph)).toBeCloseTo((macs * 32) / 48, 0);
});
