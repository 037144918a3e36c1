import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { Tensor as Dense } from "@pare/runtime/format";
import { attribute, type Attributes } from "../../ir/index.js";
import { evaluateGraph } from "../../ops/index.js";
import { aot } from "../../targets/aot.js";
import { supportOf } from "../../targets/support.js";
import { cases } from "../../wasm/cases.test.support.js";
import { byEngine, byModule, classical, difference, floats, strings } from "./classical-case.test.support.js"; // prettier-ignore

const small = fc.integer({ min: -9, max: 9 });
const encoder = (x: Dense, own: Attributes) =>
  classical("LabelEncoder", { x: [x.type, ...x.dims] }, own);

it("looks integers up as the engine does: first of equal keys, other integers, both kinds of numbers", async () => {
  const problem = fc.record({
    table: fc.array(fc.tuple(small, small), { minLength: 1, maxLength: 8 }),
    x: fc.array(fc.oneof(small, fc.constantFrom(-70_000, 70_000)), { minLength: 6, maxLength: 6 }),
    isInteger: fc.boolean(),
    other: fc.option(small, { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ table, x: given, isInteger, other }) => {
      const [keys, values] = [0, 1].map((at) => table.map((row) => row[at] ?? 0));
      const x: Dense = { type: "int64", dims: [2, 3], data: BigInt64Array.from(given, BigInt) };
      const own = isInteger
        ? {
            values_int64s: attribute.ints(values ?? []),
            ...(other !== undefined && { default_int64: attribute.int(other) }),
          }
        : {
            values_floats: attribute.floats((values ?? []).map((value) => value / 4)),
            ...(other !== undefined && { default_float: attribute.float(other / 4) }),
          };
      const graph = encoder(x, { keys_int64s: attribute.ints(keys ?? []), ...own });
      expect((await supportOf(graph, aot)).obstacles).toEqual([]);
      const expected = await byEngine(graph, { x });
      expect(difference(expected, await byModule(graph, { x }))).toBe(0);
      expect(difference(expected, await evaluateGraph(graph, { x }))).toBe(0);
    }),
    { numRuns: cases(30) },
  );
});

it("looks up integers of more than 32 bits", async () => {
  const [base, next] = [2 ** 40, 2 ** 40 + 3];
  const x: Dense = {
    type: "int64",
    dims: [4],
    data: BigInt64Array.from([base, next, 0, 3], BigInt),
  };
  const graph = encoder(x, {
    keys_int64s: attribute.ints([base, next]),
    values_floats: attribute.floats([7, 8]),
  });
  expect(difference(await byEngine(graph, { x }), await byModule(graph, { x }))).toBe(0);
});

it("gives integers of more than 53 bits", async () => {
  const x: Dense = { type: "int64", dims: [3], data: BigInt64Array.of(1n, 2n, 3n) };
  const large = 2n ** 60n + 1n;
  const graph = encoder(x, {
    keys_int64s: attribute.ints([1, 2]),
    values_int64s: { type: "ints", value: [large, -large] },
    default_int64: { type: "int", value: large + 2n },
  });
  const expected = await byEngine(graph, { x });
  expect(expected["y"]?.data).toEqual(BigInt64Array.of(large, -large, large + 2n));
  expect(await byModule(graph, { x })).toEqual(expected);
  expect((await evaluateGraph(graph, { x }))["y"]?.data).toEqual(expected["y"]?.data);
});

it("looks floats up by reference as the engine does", async () => {
  const x = floats([5], [0.5, -0, NaN, 3, 1]);
  const graph = encoder(x, {
    keys_floats: attribute.floats([0, 0.5, 0.5, 1]),
    values_floats: attribute.floats([7, 8, 9, 10]),
    default_float: attribute.float(-1),
  });
  const expected = await byEngine(graph, { x });
  expect([...(expected["y"]?.data ?? [])]).toEqual([8, 7, -1, -1, 10]);
  expect(difference(expected, await evaluateGraph(graph, { x }))).toBe(0);
});

it.each([
  ["text", { keys_int64s: attribute.ints([0]), values_strings: strings(["no"]) }, "string"],
  ["floats", { keys_floats: attribute.floats([0]), values_floats: attribute.floats([1]) }, "only integers"], // prettier-ignore
  ["a wide table", { keys_int64s: attribute.ints([0, 1e6]), values_floats: attribute.floats([1, 2]) }, "too far apart"], // prettier-ignore
  ["too few values", { keys_int64s: attribute.ints([0, 1]), values_floats: attribute.floats([1]) }, "not as many"], // prettier-ignore
])("says why a table is not compiled: %s", async (_, own: Attributes, reason) => {
  const type = "keys_floats" in own ? "float32" : "int64";
  const graph = classical("LabelEncoder", { x: [type, 2] }, own);
  const { obstacles } = await supportOf(graph, aot);
  expect(obstacles.map((each) => each.reason).join("; ")).toContain(reason);
});
