import type { Dtype } from "@pare/runtime/format";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { attribute } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { compare } from "../run-model.test.support.js";

const size = (min: number, max: number) => fc.integer({ min, max });
const types = fc.constantFrom<Dtype>("float32", "float32", "int32", "int64", "bool");
const indexTypes = fc.constantFrom<Dtype>("int32", "int64");
/** Every axis is as long as an index may be, or longer. */
const dims = (rank: number, most = rank) =>
  fc.array(size(3, 6), { minLength: rank, maxLength: most });

const checked = { poisoned: true, reference: true, integers: [-3, 2] } as const;

it("looks up elements by computed indices, of constants and of what lies in any order", async () => {
  const problem = fc.record({
    dims: dims(1, 3),
    axis: size(0, 2),
    rows: fc.array(size(1, 3), { maxLength: 2 }),
    type: types,
    index: indexTypes,
    table: fc.constantFrom("input", "constant", "turned"),
    after: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims: own, axis, rows, type, index, table, after }) => {
      const given = axis % own.length;
      const graph = graphOf({ x: [type, ...own], i: [index, ...rows] }, (input, b) => {
        const isConstant = table === "constant" && type === "float32";
        const turned = () => b.add("Transpose", [input("x")]);
        const x = isConstant ? b.weights(...own) : table === "turned" ? turned() : input("x");
        const y = b.add("Gather", [x, input("i")], { axis: attribute.int(given) });
        return {
          y: after && type === "float32" ? b.add("Relu", [y]) : y,
          x2: b.add("Identity", [input("x")]),
        };
      });
      expect(await compare(graph, checked)).toBe(0);
    }),
    { numRuns: cases(150) },
  );
});

it("looks up and writes elements each from its own place", async () => {
  const problem = dims(1, 3).chain((own) =>
    fc.record({
      dims: fc.constant(own),
      axis: size(0, own.length - 1),
      smaller: fc.array(size(0, 2), { minLength: own.length, maxLength: own.length }),
      type: types,
      index: indexTypes,
      op: fc.constantFrom("GatherElements", "add", "mul", "min", "max"),
    }),
  );
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims: own, axis, smaller, type, index, op }) => {
      const part = own.map((one, at) => one - (smaller[at] ?? 0));
      const isFloat = type === "float32";
      const graph = graphOf(
        { x: [type, ...own], i: [index, ...part], u: ["float32", ...part] },
        (input, b) => ({
          y:
            op === "GatherElements" || !isFloat
              ? b.add("GatherElements", [input("x"), input("i")], { axis: attribute.int(axis) })
              : b.add("ScatterElements", [input("x"), input("i"), input("u")], {
                  axis: attribute.int(axis),
                  reduction: attribute.string(op),
                }),
          u2: b.add("Neg", [input("u")]),
        }),
      );
      expect(await compare(graph, checked)).toBeLessThan(1e-6);
    }),
    { numRuns: cases(120) },
  );
});

it("looks up and writes parts by tuples of indices", async () => {
  const problem = dims(2, 4).chain((own) =>
    fc.record({
      dims: fc.constant(own),
      batch: size(0, 1),
      count: size(1, own.length - 1),
      rows: fc.array(size(1, 4), { minLength: 1, maxLength: 2 }),
      type: types,
      op: fc.constantFrom("GatherND", "none", "add", "mul", "max"),
    }),
  );
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims: own, batch, count, rows, type, op }) => {
      const around = batch === 1 && op === "GatherND" ? [own[0] ?? 1] : [];
      const updates = [...rows, ...own.slice(count)];
      const isRead = op === "GatherND" || (type !== "float32" && op !== "none");
      const graph = graphOf(
        {
          x: [type, ...own],
          i: ["int64", ...(isRead ? around : []), ...rows, count],
          u: [type, ...updates],
        },
        (input, b) => {
          if (isRead) {
            const attributes = { batch_dims: attribute.int(around.length) };
            return { y: b.add("GatherND", [input("x"), input("i")], attributes) };
          }
          // Of two updates of one place the later counts, and the engine does not keep their order.
          const places = rows.reduce((product, one) => product * one, 1);
          const distinct = Array.from({ length: places * count }, (_, at) =>
            at % count === 0 ? Math.floor(at / count) % (own[0] ?? 1) : 0,
          );
          const i =
            op === "none" ? b.ints(distinct, [...rows, count]) : b.add("Identity", [input("i")]);
          const attributes = { reduction: attribute.string(op) };
          return { y: b.add("ScatterND", [input("x"), i, input("u")], attributes) };
        },
      );
      fc.pre(op !== "none" || rows.reduce((product, one) => product * one, 1) <= (own[0] ?? 1));
      expect(await compare(graph, checked)).toBeLessThan(1e-6);
    }),
    { numRuns: cases(120) },
  );
});

it.each([{ dims: [10] }, { dims: [10, 4] }, { dims: [3, 10] }])(
  "looks up a constant matrix of indices in a tensor of $dims, whether or not they are a sum over its axes",
  async ({ dims: own }) => {
    for (const indices of [
      [0, 5, 3, 1],
      [0, 2, 1, 3],
      [-1, 4, -3, 0],
    ]) {
      const graph = graphOf({ x: ["float32", ...own] }, (input, b) => ({
        y: b.add("Gather", [input("x"), b.ints(indices, [2, 2])], {
          axis: attribute.int(own.indexOf(10)),
        }),
      }));
      expect(await compare(graph, checked)).toBe(0);
    }
  },
);
